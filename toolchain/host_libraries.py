"""Builds the libraries that the host links in, OpenSSL and c-ares, as static archives.

They are compiled by zig against glibc 2.28, as the wheel is, with all that hardens them and without
what eryx has no use for. Each function writes ``include/`` and ``lib/`` into a directory.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from toolchain.cache import Cache
from toolchain.crates import extract
from toolchain.errors import BuildError
from toolchain.lock import Crate
from toolchain.process import run_tool
from toolchain.tools import Tools

ZIG_FOR_CMAKE = Path(__file__).resolve().parents[1] / "cmake" / "zig-toolchain.cmake"
TARGET = "x86_64-linux-gnu.2.28"

# In step with cmake/options.cmake, which has them for the host's own code.
FLAGS = (
    *("-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-fno-sanitize=all"),
    *("-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection=full"),
    *("-ftrivial-auto-var-init=zero", "-D_FORTIFY_SOURCE=3"),
)

# Whatever a TLS client needs stays: RSA, elliptic curves of primes, X25519 and Ed25519, AES and
# ChaCha20, SHA-1 and SHA-2 (and MD5 and DES, which old certificates and keys are made with).
# src/tls/library.c says what of it is offered.
WITHOUT = (
    # What it has beside its two libraries, and what loads something at run time.
    *("shared", "module", "dso", "apps", "docs", "tests", "autoload-config", "async"),
    # Protocols.
    *("tls1", "tls1_1", "dtls", "srtp", "sctp", "quic", "ktls", "nextprotoneg", "psk", "srp"),
    *("cmp", "cms", "ts", "ct", "rfc3779", "http", "ech", "comp"),
    # Algorithms.
    *("dsa", "dh", "ec2m", "ec_explicit_curves", "tls-deprecated-ec", "integrity-only-ciphers"),
    *("sm2", "ml-dsa", "ml-kem", "slh-dsa", "lms", "gost"),
    *("aria", "bf", "camellia", "cast", "idea", "rc2", "rc4", "rc5", "seed", "sm4", "ocb", "siv"),
    *("blake2", "md4", "mdc2", "rmd160", "sm3", "whirlpool", "siphash"),
    *("argon2", "hmac-drbg-kdf", "kbkdf", "krb5kdf", "pvkkdf", "scrypt", "snmpkdf", "srtpkdf"),
    *("sshkdf", "sskdf", "x942kdf", "x963kdf"),
    *("legacy", "weak-ssl-ciphers", "ui-console"),
)


def _environment(tools: Tools) -> dict[str, str]:
    # By its bare name: the libraries keep the command that compiled them.
    return {
        **tools.zig_environment(),
        "PATH": f"{tools.zig.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SOURCE_DATE_EPOCH": "0",
    }


def build_openssl(crate: Crate, output: Path, *, tools: Tools, cache: Cache, jobs: int) -> None:
    """Builds libssl.a and libcrypto.a."""
    source = extract(crate, output / "work", cache) / "openssl"
    environment = {
        **_environment(tools),
        "CC": f"zig cc -target {TARGET}",
        "AR": "zig ar",
        "RANLIB": "zig ranlib",
    }
    # The directory is one where nothing is looked for: src/tls/trust.c knows where roots are.
    run_tool(
        [
            *("perl", "Configure", "linux-x86_64", *(f"no-{name}" for name in WITHOUT)),
            # The code for 64 bits: of constant time, and faster than the one for all machines.
            "enable-ec_nistp_64_gcc_128",
            *("--prefix=/nonexistent", "--openssldir=/nonexistent", *FLAGS),
        ],
        log=output / "configure.log",
        directory=source,
        environment=environment,
    )
    run_tool(
        ["make", f"-j{jobs}", "build_libs"],
        log=output / "build.log",
        directory=source,
        environment=environment,
    )
    _keep(
        output,
        sorted((source / "include" / "openssl").glob("*.h")),
        [source / "libssl.a", source / "libcrypto.a"],
        "openssl",
    )


def build_cares(crate: Crate, output: Path, *, tools: Tools, cache: Cache, jobs: int) -> None:
    """Builds libcares.a. Its users bring one thread to a channel, so it has no locks."""
    if not shutil.which("cmake"):
        raise BuildError("cmake is missing: install it with the system's package manager")
    source = extract(crate, output / "work", cache) / "c-ares"
    build = output / "work" / "build"
    environment = {**_environment(tools), "ERYX_ZIG_PYTHON": str(tools.python)}
    flags = (*FLAGS, f"-ffile-prefix-map={source}=c-ares")
    run_tool(
        [
            *("cmake", "-S", str(source), "-B", str(build), "-DCMAKE_BUILD_TYPE=None"),
            f"-DCMAKE_TOOLCHAIN_FILE={ZIG_FOR_CMAKE}",
            f"-DCMAKE_C_FLAGS={' '.join(flags)}",
            *("-DCARES_STATIC=ON", "-DCARES_SHARED=OFF", "-DCARES_STATIC_PIC=ON"),
            *("-DCARES_BUILD_TOOLS=OFF", "-DCARES_BUILD_TESTS=OFF", "-DCARES_THREADS=OFF"),
            f"-DCMAKE_INSTALL_PREFIX={output / 'work' / 'installed'}",
            "-DCMAKE_INSTALL_LIBDIR=lib",
        ],
        log=output / "configure.log",
        environment=environment,
    )
    run_tool(
        ["cmake", "--build", str(build), "--target", "install", "--parallel", str(jobs)],
        log=output / "build.log",
        environment=environment,
    )
    installed = output / "work" / "installed"
    _keep(
        output,
        sorted((installed / "include").glob("ares*.h")),
        [installed / "lib" / "libcares.a"],
    )


def _keep(output: Path, headers: list[Path], archives: list[Path], below: str = "") -> None:
    """Puts the products in their places and removes all else."""
    if not headers:
        raise BuildError(f"the build made no headers for {archives[0].name}")
    for files, place in ((headers, output / "include" / below), (archives, output / "lib")):
        place.mkdir(parents=True, exist_ok=True)
        for path in files:
            shutil.copyfile(path, place / path.name)
    shutil.rmtree(output / "work")
    for log in output.glob("*.log"):
        log.unlink()
