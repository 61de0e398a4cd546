import Crypto
import NIOSSL
import TestKit
import Testing

@testable import Postgres

@Suite("A server's certificate") struct CertificateTests {
    /// Self-signed, for `database.test` by its subject only, and valid until 2126.
    static let subjectOnly = """
        -----BEGIN CERTIFICATE-----
        MIIBkTCCATigAwIBAgIBAjAKBggqhkjOPQQDAjAnMQ0wCwYDVQQKDARDbHViMRYw
        FAYDVQQDDA1kYXRhYmFzZS50ZXN0MCAXDTI2MTEzMDA1MTcwN1oYDzIxMjYxMTA2
        MDUxNzA3WjAnMQ0wCwYDVQQKDARDbHViMRYwFAYDVQQDDA1kYXRhYmFzZS50ZXN0
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/jhpaFuk6OYNkbzHLtAJE9m7w75j
        m7WdecmHMGdQ+xilrVaiFigU3UuHIVqY+A6wRRHcKAPcUV4fEOspLbrJF6NTMFEw
        HQYDVR0OBBYEFFuZRzOj7IxDKvpPMEqqdbRUJMDfMB8GA1UdIwQYMBaAFFuZRzOj
        7IxDKvpPMEqqdbRUJMDfMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAw
        RAIgR+xDegIJaT3/eE/3f86ie/hA9C5smkpqvqch1vWewHMCIGosNdgQqZpeXQd0
        zQ6Kt+g1ZQ1yi7D6Sz/k8Oo2Hk6B
        -----END CERTIFICATE-----
        """

    @Test("is for its alternative names, of the host's kind")
    func names() throws {
        let loopback = try LoopbackCertificate.certificate()
        for host in ["localhost", "LocalHost", "127.0.0.1"] { #expect(CertificateName.matches(loopback, host)) }
        for host in ["", "localhos", "localhost.", "a.localhost", "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
            #expect(!CertificateName.matches(loopback, host))
        }
    }

    @Test("is for its subject only if it has no such names")
    func subject() throws {
        let certificate = try NIOSSLCertificate(bytes: Array(Self.subjectOnly.utf8), format: .pem)
        #expect(CertificateName.matches(certificate, "database.TEST"))
        #expect(!CertificateName.matches(certificate, "localhost"))
    }

    @Test(
        "stands for one label with an asterisk",
        arguments: [
            ("*.example.org", "a.example.org", true), ("*.example.org", "A.Example.ORG", true),
            ("*.example.org", "example.org", false), ("*.example.org", "a.b.example.org", false),
            ("*.example.org", ".example.org", false), ("a*.example.org", "ab.example.org", false),
            ("*", "example", false), ("*.", "example.", false), ("*.org", "example.org", true),
            ("*.example.org", "*.example.org", true), ("a.*.org", "a.b.org", false),
        ])
    func wildcards(pattern: String, host: String, isMatch: Bool) {
        #expect(CertificateName.matches(pattern, host) == isMatch)
    }

    @Test("is hashed by the hash function of its signature")
    func hash() throws {
        let bytes = try LoopbackCertificate.certificate().toDERBytes()
        #expect(CertificateHash.endPoint(bytes) == Array(SHA256.hash(data: bytes)))
        for length in [0, 1, 2, 5, 40, bytes.count / 2] {
            #expect(CertificateHash.endPoint(Array(bytes.prefix(length))) == nil)
        }
        #expect(CertificateHash.endPoint([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]) == nil)
    }
}
