"""Certificates of the module _ssl: as PEM, as DER, and what is in them."""

import binascii
import re

from _eryx_runtime import tls_host as _host
from _eryx_runtime.numbers import (
    TLS_CERTIFICATE,
)
from _eryx_runtime.tls_constants import ENCODING_DER, ENCODING_PEM, SSL_ERROR_SSL
from _eryx_runtime.tls_host import SSLError

_OBJECTS = (
    (13, "CN", "commonName", "2.5.4.3"),
    (14, "C", "countryName", "2.5.4.6"),
    (15, "L", "localityName", "2.5.4.7"),
    (16, "ST", "stateOrProvinceName", "2.5.4.8"),
    (17, "O", "organizationName", "2.5.4.10"),
    (18, "OU", "organizationalUnitName", "2.5.4.11"),
    (85, "subjectAltName", "X509v3 Subject Alternative Name", "2.5.29.17"),
    (126, "extendedKeyUsage", "X509v3 Extended Key Usage", "2.5.29.37"),
    (129, "serverAuth", "TLS Web Server Authentication", "1.3.6.1.5.5.7.3.1"),
    (130, "clientAuth", "TLS Web Client Authentication", "1.3.6.1.5.5.7.3.2"),
    (131, "codeSigning", "Code Signing", "1.3.6.1.5.5.7.3.3"),
    (132, "emailProtection", "E-mail Protection", "1.3.6.1.5.5.7.3.4"),
    (133, "timeStamping", "Time Stamping", "1.3.6.1.5.5.7.3.8"),
    (180, "OCSPSigning", "OCSP Signing", "1.3.6.1.5.5.7.3.9"),
)


def txt2obj(txt, name=False):
    """Look up one of the objects that programs ask for: (nid, shortname, longname, oid)."""
    for found in _OBJECTS:
        if txt == found[3] or (name and txt in found[1:3]):
            return found
    raise ValueError(f"unknown object '{txt:.100}'")


def nid2obj(nid, /):
    """Look up an object by its number in OpenSSL."""
    for found in _OBJECTS:
        if nid == found[0]:
            return found
    raise ValueError(f"unknown NID {nid}")


_PEM_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----\s*([A-Za-z0-9+/=\s]*)"
    rb"-----END (?:TRUSTED |X509 )?CERTIFICATE-----"
)

PEM_KEY = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


def _der_size(data, start):
    """Where the ASN.1 sequence at start ends; 0 if there is none."""
    if data[start : start + 1] != b"\x30" or len(data) < start + 2:
        return 0
    first = data[start + 1]
    if first < 0x80:
        end = start + 2 + first
    else:
        count = first & 0x7F
        if not 1 <= count <= 4:
            return 0
        end = start + 2 + count + int.from_bytes(data[start + 2 : start + 2 + count])
    return end if end <= len(data) else 0


def pem_certificates(text):
    """The certificates in PEM text, as DER; SSLError if one is malformed."""
    found = []
    for body in _PEM_CERTIFICATE.findall(text):
        try:
            der = binascii.a2b_base64(body)
        except binascii.Error:
            der = b""
        if not _der_size(der, 0):
            error = SSLError(SSL_ERROR_SSL, "[PEM: BAD_BASE64_DECODE] bad base64 decode")
            error.library, error.reason = "PEM", "BAD_BASE64_DECODE"
            raise error
        found.append(der)
    return found


def der_certificates(data):
    """The certificates in DER that follow each other."""
    found = []
    start = 0
    while end := _der_size(data, start):
        found.append(data[start:end])
        start = end
    return found


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def certificate_info(text):
    """The dictionary of getpeercert()."""
    from json import loads

    return {name: _tuples(value) for name, value in loads(text).items()}


class Certificate:
    """An X.509 certificate."""

    __module__ = "_ssl"
    __slots__ = ("_der",)

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl.Certificate' instances")

    @classmethod
    def _from_der(cls, der):
        self = object.__new__(cls)
        self._der = bytes(der)
        return self

    def public_bytes(self, format=ENCODING_PEM, /):
        """Return the certificate as PEM text or DER bytes."""
        if format == ENCODING_DER:
            return self._der
        if format != ENCODING_PEM:
            raise ValueError("Unsupported format")
        text = binascii.b2a_base64(self._der, newline=False).decode("ascii")
        lines = [text[i : i + 64] for i in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])

    def get_info(self):
        """Return what getpeercert() tells about it."""
        return certificate_info(_host.ask(TLS_CERTIFICATE, 0, self._der))

    def __eq__(self, other):
        return self._der == other._der if isinstance(other, Certificate) else NotImplemented

    def __hash__(self):
        return hash(self._der)

    def __repr__(self):
        parts = (f"{key}={value}" for rdn in self.get_info()["subject"] for key, value in rdn)
        return f"<_ssl.Certificate '{', '.join(parts)}'>"
