"""The two apps: which pages each has, and that neither can be talked into the other's."""

import pytest
from starlette.testclient import TestClient

SHARED = ["/about", "/why", "/help", "/leave", "/trust", "/trusted", "/ca.crt", "/ca.pem", "/style.css", "/leave.js"]


@pytest.mark.parametrize("path", SHARED)
def test_both_have_the_childrens_pages(public: TestClient, local: TestClient, path: str) -> None:
    assert public.get(path).status_code == local.get(path).status_code == 200


def test_there_is_no_way_to_write(public: TestClient, local: TestClient) -> None:
    for client in (public, local):
        for path in ("/", "/about", "/help", "/status", "/proxy.pac", "/ca.crt"):
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                assert client.request(method, path).status_code in (404, 405)


def test_the_menus(public: TestClient, local: TestClient) -> None:
    assert 'href="/status"' not in public.get("/about").text
    assert 'href="/status"' in local.get("/about").text
    assert 'href="/help" aria-current="page"' in public.get("/help").text
