"""deploy/setup.ps1 and deploy/setup.sh create the same secrets and settings."""

import re
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
SHELL, POWERSHELL = ((DEPLOY / name).read_text("utf-8") for name in ("setup.sh", "setup.ps1"))
SAMPLES = {path.name for path in (DEPLOY / "secrets.sample").iterdir() if path.suffix != ".md"}


def shell_secrets() -> dict[str, int]:
    """Return the length of each secret, by name."""
    repeated = re.search(r'for account in ([\w ]+); do secret "\$\{account\}_password" (\d+)', SHELL)
    assert repeated
    each = {f"{account}_password": int(repeated[2]) for account in repeated[1].split()}
    return each | {name: int(length) for name, length in re.findall(r"^secret (\w+) (\d+)$", SHELL, re.MULTILINE)}


def powershell_secrets() -> dict[str, int]:
    """Return the length of each secret, by name."""
    repeated = re.search(
        r'foreach \(\$account in ([^)]+)\) \{ New-Secret "\$\{account\}_password" (\d+) \}', POWERSHELL
    )
    assert repeated
    each = {f"{account}_password": int(repeated[2]) for account in re.findall(r"'(\w+)'", repeated[1])}
    single = re.findall(r"^New-Secret '(\w+)' (\d+)$", POWERSHELL, re.MULTILINE)
    return each | {name: int(length) for name, length in single}


def test_setup_scripts_create_the_same_secrets() -> None:
    assert shell_secrets() == powershell_secrets()
    assert shell_secrets().keys() == SAMPLES
    assert min(shell_secrets().values()) >= 16


def test_setup_scripts_use_letters_and_digits() -> None:
    letters = re.search(r"\$letters = '(\w+)'", POWERSHELL)
    assert letters

    assert "tr -dc 'A-Za-z0-9' </dev/urandom" in SHELL
    assert len(letters[1]) == len(set(letters[1])) == 62
    assert letters[1].isascii()
    assert f"% {len(letters[1])}" in POWERSHELL
    assert f"-lt {256 - 256 % len(letters[1])}" in POWERSHELL


def test_setup_scripts_write_the_same_settings() -> None:
    shell = re.findall(r"^.*?\bsetting (\w+) (\S+)$", SHELL, re.MULTILINE)
    powershell = re.findall(r"^ *Set-Setting '(\w+)' '?\"?([^'\"]+)'?\"?$", POWERSHELL, re.MULTILINE)

    assert [(name, value.strip('"')) for name, value in shell] == powershell
    assert dict(powershell)["INVENTORY_SECRETS"] == "./$folder"


def test_setup_scripts_keep_existing_secrets_and_replace_empty_ones() -> None:
    assert '[ -s "$folder/$1" ] && return' in SHELL
    assert "Length -gt 0" in POWERSHELL
    assert "if (-not (Test-Secret $Name))" in POWERSHELL


def test_powershell_setup_script_has_balanced_brackets() -> None:
    # The machines that run this have no PowerShell, so only quotes and brackets are checked.
    code = re.sub(r"#.*|'[^']*'|\"[^\"]*\"", "", POWERSHELL)

    assert [code.count(bracket) for bracket in "({["] == [code.count(bracket) for bracket in ")}]"]
