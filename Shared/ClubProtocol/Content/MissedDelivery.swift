import HTTPTypes

/// A reader who did not receive an issue, and why.
package struct MissedDelivery: Codable, Hashable, Sendable {
    /// In one word.
    package enum Reason: String, Codable, CaseIterable, Sendable {
        /// Its turn has not come, or it will be tried again.
        case waiting
        /// There is no such mailbox.
        case addressGone
        /// The domain has no mail server, a day later still.
        case noSuchHost
        /// The provider does not trust us as a sender.
        case refusedSender
        /// Refused for another reason.
        case refused
        /// Not accepted within its time.
        case expired
        /// It is unknown whether the server accepted it.
        case uncertain
        /// The address is on the suppression list.
        case suppressed
        /// The issue was cancelled before its turn.
        case cancelled
        /// The reader wished so: not more than one a month, a pause, or none of these kinds of information.
        case skipped
        /// Accepted, and returned later for good: there is no such mailbox.
        case bounced
        /// Joined the audience after the deliveries were frozen, and has none. Listed only if this reason is asked for,
        /// by address; nobody is late for an issue that was frozen more than a year ago.
        case late
    }

    /// Absent for who is `late`: they have no delivery.
    package var id: Delivery.ID?
    package var audience: Edition.Audience
    package var email: EmailAddress
    package var name: String?
    package var reason: Reason
    package var attempts: Int
    /// The mail server's last reply, or what happened to the connection.
    package var reply: String?
    /// Absent for who is `late`.
    package var updatedAt: Timestamp?
}

/// Lists everybody who is in the ledger of an issue and has not received it; with `reason=late`, who is not in it and
/// would be today.
package enum ListMissed: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}/missed", "Lists who has not got an issue, each with the reason.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = Issue.ID

    package struct Filter: OptionalParameters {
        package var reason: MissedDelivery.Reason?

        package init() {}

        package init(reason: MissedDelivery.Reason? = nil) {
            self.reason = reason
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<MissedDelivery>
}

/// The same list as a table in French, for a spreadsheet.
package enum ExportMissed: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}/missed.csv", "Exports who has not got an issue, each with the reason, as a table.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound], produces: .csv)

    package typealias Path = Issue.ID
    package typealias Query = Table<ListMissed.Filter>
    package typealias Response = TextDocument
}

/// Sends an issue again to those who have not got it, for the reasons named. What is uncertain is sent only if it is
/// named, by an operator, and with the same Message-ID, so that a mailbox can know the double. A suppressed address gets
/// it only if it is no longer suppressed. Who was skipped gets the items of the kinds that they want, or all if there are
/// none. Who is `late` gets a delivery, as the directory lists them then. What was `bounced` is not sent again: it was
/// accepted.
package enum ResendIssue: Endpoint {
    package static let operation = Operation(
        .post, "/v1/issues/{issue}/resends", "Sends an issue again to those who have not got it.",
        access: .roles(.operator, .editor), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Issue.ID

    package struct Body: Codable, Sendable, BoundedFields {
        /// At least one; not `waiting`, which is sent anyway, nor `bounced`.
        package var reasons: [MissedDelivery.Reason]
        /// Whether to count only.
        package var dryRun: Bool?

        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "reasons": .elements(1...MissedDelivery.Reason.allCases.count)
        ]

        package init(reasons: [MissedDelivery.Reason], dryRun: Bool? = nil) {
            self.reasons = reasons
            self.dryRun = dryRun
        }
    }

    /// How many are sent again, by reason.
    package struct Response: Codable, Hashable, Sendable {
        package struct Count: Codable, Hashable, Sendable {
            package var reason: MissedDelivery.Reason
            package var count: Int

            package init(reason: MissedDelivery.Reason, count: Int) {
                self.reason = reason
                self.count = count
            }
        }

        package var resent: [Count]
        package var dryRun: Bool

        package init(resent: [Count], dryRun: Bool) {
            self.resent = resent
            self.dryRun = dryRun
        }
    }
}
