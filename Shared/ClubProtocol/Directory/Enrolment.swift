import HTTPTypes

/// What ambassadors and experts have in common: they enrol in the network, confirm their record once a year, and may
/// leave.
package enum Enrolment {
    /// Determined by whether there is a day on which they left.
    ///
    /// ```
    /// enrolled ──▶ left
    ///     ▲          │
    ///     └──────────┘ (comes back)
    /// ```
    package enum State: String, Codable, CaseIterable, Sendable {
        case enrolled, left

        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.enrolled, .left), (.left, .enrolled): true
            case (.enrolled, .enrolled), (.left, .left): false
            }
        }
    }

    /// The target state of a transition.
    package struct Move: Codable, Sendable {
        package var to: State

        package init(to: State) {
            self.to = to
        }
    }
}

/// How long ago a record was confirmed. It is not part of any document, because it changes without an edit: it is
/// computed from `confirmedAt`, today's date and the two thresholds here.
package enum Freshness: String, Codable, CaseIterable, Sendable {
    /// Less than ``ageingMonths`` ago.
    case fresh
    /// Less than ``staleMonths`` ago.
    case ageing
    /// Longer ago: hidden from ambassadors and from the public.
    case stale

    package static let ageingMonths = 12
    package static let staleMonths = 18
}

/// Confirms an expert's record as it is, which makes it fresh again.
package enum ConfirmExpert: Endpoint {
    package static let operation = Operation(
        .post, "/v1/experts/{expert}/confirmations", "Confirms an expert's record.",
        access: .roles(.operator, .expert), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Expert.ID
    package typealias Response = Expert
}

/// An expert leaves the channel or comes back; the record is kept, with the day.
package enum TransitionExpert: Endpoint {
    package static let operation = Operation(
        .post, "/v1/experts/{expert}/transitions", "Lets an expert leave, or come back.",
        access: .roles(.operator, .expert), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Expert.ID
    package typealias Body = Enrolment.Move
    package typealias Response = Expert
}

/// Confirms an ambassador's record as it is, which makes it fresh again.
package enum ConfirmAmbassador: Endpoint {
    package static let operation = Operation(
        .post, "/v1/ambassadors/{ambassador}/confirmations", "Confirms an ambassador's record.",
        access: .roles(.operator, .ambassador), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Ambassador.ID
    package typealias Response = Ambassador
}

/// An ambassador leaves the forum or comes back; the record is kept, with the day.
package enum TransitionAmbassador: Endpoint {
    package static let operation = Operation(
        .post, "/v1/ambassadors/{ambassador}/transitions", "Lets an ambassador leave, or come back.",
        access: .roles(.operator, .ambassador), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Ambassador.ID
    package typealias Body = Enrolment.Move
    package typealias Response = Ambassador
}

/// Asks everyone whose last confirmation is eleven months old to confirm again, and reminds those who have not
/// replied, at most three times. Runs every morning; calling it again asks no one twice.
package enum RequestConfirmations: Endpoint {
    package static let operation = Operation(
        .post, "/v1/confirmation-calls", "Asks ambassadors and experts to confirm their records.",
        access: .roles(.operator))

    package typealias Response = ConfirmationCall
}

/// The number of letters requested.
package struct ConfirmationCall: Codable, Hashable, Sendable {
    package var experts: Int
    package var ambassadors: Int

    package init(experts: Int, ambassadors: Int) {
        self.experts = experts
        self.ambassadors = ambassadors
    }
}
