import HTTPTypes

/// The queue of the mails to one mailbox provider, or to one domain that is slow: no lane waits for another. Its limits
/// hold over all replicas together.
package struct MailLane: Codable, Hashable, Sendable {
    package enum State: String, Codable, CaseIterable, Sendable {
        /// Sent at the provider's limits.
        case open
        /// The provider asked us to slow down: a share of its limits is used, which grows back by tenths.
        case slowed
        /// The provider refused us as a sender several times in a row: nothing is sent for an hour.
        case closed
        /// Stopped by the staff.
        case paused

        /// The life cycle of a lane:
        /// ```
        ///  open ◀──▶ slowed
        ///   │ ▲        │
        ///   ▼ └────────┼── closed (an hour, then slowed)
        /// closed ◀─────┘
        /// any ──▶ paused ──▶ open (by the staff)
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.open, .slowed), (.slowed, .open), (.open, .closed), (.slowed, .closed): true
            case (.closed, .slowed), (.closed, .open), (.paused, .open): true
            case (.open, .paused), (.slowed, .paused), (.closed, .paused): true
            default: false
            }
        }
    }

    /// What the provider takes from one sender.
    package struct Limits: Codable, Hashable, Sendable {
        package var connections: Int
        package var messagesPerConnection: Int
        /// Absent: any number.
        package var messagesPerMinute: Int?
        package var messagesPerDay: Int?

        package init(connections: Int, messagesPerConnection: Int, messagesPerMinute: Int?, messagesPerDay: Int?) {
            self.connections = connections
            self.messagesPerConnection = messagesPerConnection
            self.messagesPerMinute = messagesPerMinute
            self.messagesPerDay = messagesPerDay
        }
    }

    /// A provider's code such as `orange`, `other` for everybody else, or `domain:` and a domain.
    package var code: String
    package var state: State
    /// The share of its limits that is used: 1 unless it was slowed.
    package var share: Double
    package var limits: Limits
    /// How many connections are open now, of all replicas.
    package var connections: Int
    /// How many mails were claimed for it in this minute and on this day.
    package var inMinute: Int
    package var inDay: Int
    /// When it is tried again; absent if it does not wait.
    package var waitUntil: Timestamp?
    /// What the provider said last when it was slowed or closed.
    package var reason: String?
    package var updatedAt: Timestamp

    package init(
        code: String, state: State, share: Double, limits: Limits, connections: Int, inMinute: Int, inDay: Int,
        waitUntil: Timestamp?, reason: String?, updatedAt: Timestamp
    ) {
        self.code = code
        self.state = state
        self.share = share
        self.limits = limits
        self.connections = connections
        self.inMinute = inMinute
        self.inDay = inDay
        self.waitUntil = waitUntil
        self.reason = reason
        self.updatedAt = updatedAt
    }
}

/// Lists the lanes that have been used, by code.
package enum ListMailLanes: Endpoint {
    package static let operation = Operation(
        .get, "/v1/mail-lanes", "Lists the lanes of mail: one for each mailbox provider.",
        access: .roles(.operator, .editor, .auditor))

    package typealias Query = Paged<Empty>
    package typealias Response = Page<MailLane>
}

/// Pauses or resumes a lane. After the answer to a pause, each connection ends at most the text that it has begun.
package enum TransitionMailLane: Endpoint {
    package static let operation = Operation(
        .post, "/v1/mail-lanes/{lane}/transitions", "Pauses or resumes a lane of mail.", access: .roles(.operator),
        problems: [.notFound, .transitionNotAllowed])

    package typealias Path = String

    package struct Body: Codable, Sendable {
        /// `paused`, or `open` to resume.
        package var to: MailLane.State

        package init(to: MailLane.State) {
            self.to = to
        }
    }

    package typealias Response = MailLane
}
