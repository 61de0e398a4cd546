import HTTPTypes

/// One of the things by which providers judge a sender, as it is now.
package struct MailCheck: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, CaseIterable, Sendable {
        /// The key that mails are signed with is published (RFC 6376): a check for each selector.
        case dkim
        /// The domain of the return address says which servers may use it (RFC 7208).
        case spf
        /// The domain of `From` has a policy for mails that are not aligned with it (RFC 7489).
        case dmarc
        /// The signing domain is that of `From`, as its policy asks.
        case signatureAlignment
        /// The domain of the return address is that of `From`, as its policy asks.
        case returnAlignment
        /// Mails to the return address have somewhere to go.
        case returnExchanger
        /// The links in mails are encrypted, so that mail programs offer to leave with one click (RFC 8058).
        case publicURL
    }

    package enum Result: String, Codable, CaseIterable, Sendable {
        case ok
        case wrong
        /// The DNS did not answer, so nothing is known.
        case unknown
    }

    package var kind: Kind
    /// What was looked at: a name in the DNS, or a setting.
    package var name: String
    package var result: Result
    /// What was found and, if it is wrong, what to do.
    package var detail: String

    package init(kind: Kind, name: String, result: Result, detail: String) {
        self.kind = kind
        self.name = name
        self.result = result
        self.detail = detail
    }
}

/// Looks, now, at what providers judge a sender by.
package enum ListMailChecks: Endpoint {
    package static let operation = Operation(
        .get, "/v1/mail-checks", "Checks what mailbox providers judge a sender by.",
        access: .roles(.operator, .editor, .auditor))

    package struct Response: Codable, Sendable {
        package var checks: [MailCheck]

        package init(checks: [MailCheck]) {
            self.checks = checks
        }
    }
}
