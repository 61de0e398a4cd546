package import NIOSSL

/// The certificate of a test's server on loopback: self-signed for `localhost`, valid from 2020 to 2120. Its key
/// protects nothing: only tests trust it, and only explicitly.
package enum LoopbackCertificate {
    package static func certificate() throws -> NIOSSLCertificate {
        try NIOSSLCertificate(bytes: Array(pem.utf8), format: .pem)
    }

    static func serverConfiguration() throws -> TLSConfiguration {
        .makeServerConfiguration(
            certificateChain: [.certificate(try certificate())],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
    }

    package static let pem = """
        -----BEGIN CERTIFICATE-----
        MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
        c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
        CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCXiLogwtWoG/RMO
        0IbjaHpcWGmVWT8LKQrKNr1bEQ6eOmgZ955uZvi2vxprdJpBpVtK3HHZ62OfS4gB
        4qb+yuSjTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
        BTADAQH/MB0GA1UdDgQWBBTvlUS3Y1W9xM+5GrcJWD+xbKMt1jAKBggqhkjOPQQD
        AgNIADBFAiBWri5OgtBVJ4Usbzr6Y8+u6mO+thV5yeL7pnCVAJXeGQIhAIA7mbu/
        w5DmaOPe/QtD3Q5Sx9IQ2JfAmKaCzcOfuKaO
        -----END CERTIFICATE-----
        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpe0UoL3CIUGndbqG
        skkEdz5irPNvBvc9+UPvVw/79l+hRANCAAQl4i6IMLVqBv0TDtCG42h6XFhplVk/
        CykKyja9WxEOnjpoGfeebmb4tr8aa3SaQaVbStxx2etjn0uIAeKm/srk
        -----END PRIVATE KEY-----
        """
}
