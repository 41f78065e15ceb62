"""The PAC file, asked by the program it is written for: Chromium's JavaScript. test_browser.py starts it."""

import re

from appliance.web import pac


def test_the_proxy_is_the_box_as_the_browser_reached_it() -> None:
    assert 'var box = "PROXY 10.0.0.1:8080";' in pac.script("10.0.0.1", 8080)
    assert 'var box = "PROXY [fd00::1]:3128";' in pac.script("fd00::1", 3128)


def test_it_asks_no_name_server() -> None:
    script = pac.script("x", 1)
    assert not re.search(r"isInNet|dnsResolve|isResolvable|myIpAddress|localHostOrDomainIs", script)
