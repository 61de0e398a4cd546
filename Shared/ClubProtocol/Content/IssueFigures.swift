import HTTPTypes

/// What became of an issue, by edition and provider: the figures of the ledger. Nobody is watched while reading, so
/// there is none of that.
package struct IssueFigures: Codable, Hashable, Sendable {
    package var issue: Issue.ID
    package var number: Int
    package var editions: [EditionFigures]
    package var total: DeliveryFigures
    /// The head of the audit chain when the figures were read: kept with them, it proves what had been recorded by then.
    package var auditHead: AuditHead

    package init(
        issue: Issue.ID, number: Int, editions: [EditionFigures], total: DeliveryFigures, auditHead: AuditHead
    ) {
        self.issue = issue
        self.number = number
        self.editions = editions
        self.total = total
        self.auditHead = auditHead
    }
}

/// What became of an edition.
package struct EditionFigures: Codable, Hashable, Sendable {
    package var audience: Edition.Audience
    /// By code.
    package var providers: [ProviderFigures]
    package var total: DeliveryFigures

    package init(audience: Edition.Audience, providers: [ProviderFigures], total: DeliveryFigures) {
        self.audience = audience
        self.providers = providers
        self.total = total
    }
}

/// What became of the mails to one mailbox provider.
package struct ProviderFigures: Codable, Hashable, Sendable {
    /// Its code, or `other` for everybody else, with the domains that had a lane of their own.
    package var provider: String
    package var figures: DeliveryFigures

    package init(provider: String, figures: DeliveryFigures) {
        self.provider = provider
        self.figures = figures
    }
}

/// How many deliveries there are, and what became of them. Deliveries that were erased or forgotten since are counted
/// too.
package struct DeliveryFigures: Codable, Hashable, Sendable {
    /// Those who have not got it for one reason.
    package struct Missed: Codable, Hashable, Sendable {
        /// Absent for those that failed and were erased or forgotten since.
        package var reason: MissedDelivery.Reason?
        package var count: Int

        package init(reason: MissedDelivery.Reason?, count: Int) {
            self.reason = reason
            self.count = count
        }
    }

    /// How many readers there were: the sum of `sent` and all that is missed.
    package var frozen = 0
    /// Accepted by a mail server.
    package var sent = 0
    /// Of these, those that did not come back as a hard bounce.
    package var delivered = 0
    /// Of these, those that came back for good, because there is no such mailbox.
    package var bounced = 0
    /// Reasons without anybody are left out.
    package var missed: [Missed] = []
    /// How many complained.
    package var complaints = 0
    /// How many left by the link in it.
    package var departures = 0

    package init() {}
}

/// Shows what became of an issue.
package enum GetIssueFigures: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}/figures", "Shows what became of an issue, by edition and provider.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = Issue.ID
    package typealias Response = IssueFigures
}
