"""`.ci/python` picks the right interpreter, and says one helpful sentence where there is none.

Every case is a made-up machine: a PATH of our own with tiny shell scripts that answer the version probe, a home
folder, a distribution, a user. The script itself runs as it is.
"""

import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "python"
DEBIAN_12 = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
DEBIAN_13 = 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'
FEDORA = 'ID=fedora\nVERSION_ID=38\nPRETTY_NAME="Fedora Linux 38"\n'


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine under `root`; `bin` is its whole PATH, so nothing of the real one leaks in."""

    root: Path

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def home(self) -> Path:
        return self.root / "home"

    def script(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)
        return path

    def python(self, path: Path | str, state: str = "ok", version: str = "3.13") -> Path:
        """An interpreter that answers the probe; `state` as in the script: ok, old, no-venv, 32-bit ..."""
        return self.script(self.bin / path, f'echo "{state} {version} $0"')

    def user(self, uid: int) -> None:
        self.script(self.bin / "id", f"echo {uid}")

    def packages(self, installs: str) -> None:
        """An apt-get that notes what it was asked and then does `installs`; a dpkg that owns all of bin."""
        self.script(self.bin / "apt-get", f'echo "$*" >> "{self.root}/apt.log"\n{installs}')
        self.script(self.bin / "dpkg-query", f'case "$2" in "{self.bin}"/*) ;; *) exit 1 ;; esac')

    def asked_of_apt(self) -> str:
        log = self.root / "apt.log"
        return log.read_text() if log.exists() else ""

    def find(self, release: str = DEBIAN_12, **extra: str) -> subprocess.CompletedProcess[str]:
        (self.root / "os-release").write_text(release)
        env = {"PATH": str(self.bin), "HOME": str(self.home), "OS_RELEASE": str(self.root / "os-release")} | extra
        return subprocess.run([SCRIPT], env=env, capture_output=True, text=True, timeout=30, check=False)

    def finds(self, expected: Path, release: str = DEBIAN_12, **extra: str) -> None:
        found = self.find(release, **extra)
        assert (found.stdout, found.returncode) == (f"{expected}\n", 0), found.stderr

    def says(self, *words: str, release: str = DEBIAN_12, **extra: str) -> None:
        """It fails with one sentence that holds all of `words`, and prints no path."""
        found = self.find(release, **extra)
        assert (found.stdout, found.returncode) == ("", 1)
        assert found.stderr.count("\n") == 1, found.stderr
        for word in words:
            assert word in found.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.bin.mkdir()
    made.home.mkdir()
    for tool in ("sh", "dirname", "readlink", "mktemp", "rm", "cat"):
        (made.bin / tool).symlink_to(shutil.which(tool) or tool)
    made.user(1000)
    return made


def test_order_on_path(machine: Machine) -> None:
    plain = machine.python("python3", version="3.14")
    machine.finds(plain)
    for name in ("python3.14", "python3.12", "python3.13"):
        machine.finds(machine.python(name, version=name.removeprefix("python")))


def test_an_old_python3_hides_nothing(machine: Machine) -> None:
    machine.python("python3", "old", "3.11")
    machine.finds(machine.python("python3.12", version="3.12"))


def test_a_shim_without_its_version_is_passed_over(machine: Machine) -> None:
    machine.script(machine.bin / "python3.13", "echo 'command not found' >&2; exit 127")
    later = machine.python(machine.root / "later" / "python3.13")
    machine.finds(later, PATH=f"{machine.bin}:{later.parent}")


@pytest.mark.parametrize("variable", [True, False], ids=["PYENV_ROOT", "home"])
def test_versions_of_pyenv(machine: Machine, variable: bool) -> None:
    root = machine.root / "my pyenv" if variable else machine.home / ".pyenv"
    extra = {"PYENV_ROOT": str(root)} if variable else {}
    machine.python(root / "versions/3.11.9/bin/python3", "old", "3.11")
    machine.python(root / "versions/3.13.1t/bin/python3", "free-threaded", "3.13")
    machine.finds(machine.python(root / "versions/3.12.7/bin/python3", version="3.12"), **extra)
    machine.finds(machine.python(root / "versions/3.13.0/bin/python3"), **extra)


@pytest.mark.parametrize("place", ["bin/uv", "home/.local/bin/uv", "home/.cargo/bin/uv"])
def test_a_python_that_uv_has(machine: Machine, place: str) -> None:
    found = machine.python(machine.root / "uv-pythons" / "python3.13")
    machine.script(machine.root / place, f'[ "$UV_PYTHON_DOWNLOADS" = never ] && echo "{found}"')
    machine.finds(found)


def test_the_chosen_python_wins(machine: Machine) -> None:
    machine.python("python3.13")
    chosen = machine.python(machine.root / "own" / "python", version="3.12")
    machine.finds(chosen, PYTHON=str(chosen))


@pytest.mark.parametrize(
    ("state", "version", "words"),
    [("old", "3.9", "is Python 3.9"), ("32-bit", "3.13", "32-bit"), ("free-threaded", "3.14", "free-threaded")],
)
def test_a_chosen_python_is_never_replaced(machine: Machine, state: str, version: str, words: str) -> None:
    machine.python("python3.13")
    chosen = machine.python(machine.root / "own" / "python", state, version)
    machine.says(str(chosen), words, "unset it", PYTHON=str(chosen))


def test_a_chosen_python_that_is_not_there(machine: Machine) -> None:
    machine.says("PYTHON=nowhere does not run", "unset it", PYTHON="nowhere")


def test_debian_12_without_anything(machine: Machine) -> None:
    machine.python("python3", "old", "3.11")
    machine.packages("exit 1")
    machine.says("Python 3.12 or newer", "Debian GNU/Linux 12 (bookworm) has 3.11", "sudo apt-get install pipx", "uv")
    machine.user(0)
    machine.says("`apt-get install pipx")
    assert machine.asked_of_apt() == "", "there is no package that would help, so none may be installed"


def test_debian_12_with_uv_or_pyenv_but_no_python(machine: Machine) -> None:
    (machine.home / ".pyenv/versions").mkdir(parents=True)
    machine.says("pyenv install 3.13")
    machine.script(machine.bin / "uv", "exit 2")
    machine.says("uv python install 3.13")


def test_debian_13_without_python(machine: Machine) -> None:
    machine.packages(
        f"printf '#!/bin/sh\\necho ok 3.13 $0\\n' > {machine.bin}/python3; /bin/chmod +x {machine.bin}/python3"
    )
    machine.says("Python 3.12 or newer", "sudo apt-get install python3-venv", release=DEBIAN_13)
    assert machine.asked_of_apt() == ""
    machine.user(0)
    machine.finds(machine.bin / "python3", release=DEBIAN_13)
    assert "install -y --no-install-recommends python3-venv" in machine.asked_of_apt()


@pytest.mark.parametrize(
    ("name", "package"), [("python3", "python3-venv"), ("python3.12", "python3.12-venv")], ids=["default", "other"]
)
def test_the_distributions_python_without_venv(machine: Machine, name: str, package: str) -> None:
    state = machine.root / "state"
    state.write_text("no-venv")
    machine.python("python3", "old", "3.11")
    machine.script(machine.bin / name, f'read state < "{state}"\necho "$state 3.12 $0"')
    machine.packages(f'echo ok > "{state}"')
    machine.says(name, f"sudo apt-get install {package}")
    machine.user(0)
    machine.finds(machine.bin / name)
    assert machine.asked_of_apt().endswith(f" {package}\n")


def test_a_complete_python_is_preferred_to_completing_one(machine: Machine) -> None:
    machine.python("python3", "no-venv")
    machine.packages("exit 1")
    machine.user(0)
    complete = machine.python(machine.home / ".pyenv/versions/3.12.1/bin/python3", version="3.12")
    machine.finds(complete)
    assert machine.asked_of_apt() == ""


def test_an_incomplete_python_of_the_persons_own(machine: Machine) -> None:
    machine.packages("exit 0")
    own = machine.python(machine.root / "own" / "python3", "no-venv")
    machine.says(str(own), "ensurepip and venv", PATH=f"{machine.bin}:{own.parent}")
    assert machine.asked_of_apt() == ""


def test_a_failing_installation_shows_why(machine: Machine) -> None:
    machine.packages("echo 'Unable to fetch some archives'; exit 100")
    machine.user(0)
    found = machine.find(DEBIAN_13)
    assert found.returncode == 1
    assert "Unable to fetch some archives" in found.stderr
    assert "check the network" in found.stderr
    assert "\nupdate\n" in machine.asked_of_apt(), "the lists of packages were never fetched"


def test_a_32_bit_system(machine: Machine) -> None:
    machine.python("python3", "32-bit")
    machine.says("32-bit", "64-bit system")


def test_another_distribution(machine: Machine) -> None:
    machine.python("python3", "old", "3.11")
    machine.says("Fedora Linux 38 has 3.11", "uv python install 3.13", "pyenv", release=FEDORA)


def test_an_activated_environment_gives_way_to_its_base(machine: Machine) -> None:
    """Real interpreters: .venv may be the active one, and must not be rebuilt by itself."""
    environment = machine.root / "environment"
    venv.create(environment, symlinks=True)
    found = Path(machine.find(PATH=f"{machine.bin}:{environment / 'bin'}").stdout.strip())
    assert not found.is_relative_to(environment)
    assert found.samefile(environment / "bin" / "python3")
