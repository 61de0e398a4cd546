import HTTPTypes

/// Everything that the club's services know about a person (GDPR, article 15).
package struct AccessDocument: Codable, Hashable, Sendable {
    package var entity: DataSubject.Entity
    package var id: DataSubject.ID
    package var gatheredAt: Timestamp
    /// One for each of the four services, the directory's first.
    package var services: [PersonalData]

    package init(entity: DataSubject.Entity, id: DataSubject.ID, gatheredAt: Timestamp, services: [PersonalData]) {
        self.entity = entity
        self.id = id
        self.gatheredAt = gatheredAt
        self.services = services
    }
}

/// Everything that is known about a person. If a service does not respond there is no document, because a partial one
/// would be incomplete.
package enum GetPersonData: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}/data", "Gathers everything the club knows about a person.",
        access: .roles(.operator, .auditor, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = Person.ID
    package typealias Response = AccessDocument
}

/// Everything that is known about an expert.
package enum GetExpertData: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts/{expert}/data", "Gathers everything the club knows about an expert.",
        access: .roles(.operator, .auditor, .expert), problems: [.notFound])

    package typealias Path = Expert.ID
    package typealias Response = AccessDocument
}

/// The erasure of a person or an expert from all services (GDPR, article 17).
package struct Erasure: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Erasure>

    package enum State: String, Codable, CaseIterable, Sendable {
        case requested, refused, erasing, done

        /// The life cycle of an erasure. A person's own request waits for staff, who may have to refuse it (article
        /// 17, 3); a request by staff starts at once. It is done when every service has reported.
        /// ```
        /// requested ──▶ erasing ──▶ done
        ///     │
        ///     ▼
        ///  refused
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.requested, .erasing), (.requested, .refused), (.erasing, .done): true
            default: false
            }
        }
    }

    package enum Reason: String, Codable, CaseIterable, Sendable {
        /// The person asked for it.
        case request
        /// There was no reason to keep the record: a mistake, a test, a duplicate.
        case mistake
        /// Its retention period was over.
        case retention
    }

    /// Whether a service has completed the erasure, and when.
    package struct Report: Codable, Hashable, Sendable {
        package var service: ServiceName
        /// Absent until then.
        package var doneAt: Timestamp?

        package init(service: ServiceName, doneAt: Timestamp?) {
            self.service = service
            self.doneAt = doneAt
        }
    }

    /// Another record with an e-mail address or telephone number of the erased person.
    package struct Other: Codable, Hashable, Sendable {
        package var kind: RecordKind
        package var id: DirectoryRecord.ID

        package init(kind: RecordKind, id: DirectoryRecord.ID) {
            self.kind = kind
            self.id = id
        }
    }

    package var id: ID
    package var entity: DataSubject.Entity
    /// The identifier of the erased person or expert, which no longer finds anything.
    package var subject: DataSubject.ID
    package var reason: Reason
    package var state: State
    /// All four services.
    package var services: [Report]
    /// While `erasing`, records for staff to review by hand: up to fifty other records with the same e-mail address
    /// or telephone number, such as an expert whose contact the person was. Absent if there are none.
    package var others: [Other]?
    package var startedAt: Timestamp?
    package var completedAt: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Erases a person or an expert from all services. If requested by the person, it waits for staff.
package enum CreateErasure: Endpoint {
    package static let operation = Operation(
        .post, "/v1/erasures", "Erases a person or an expert from all services.", success: .created,
        access: .roles(.operator, .representative, .ambassador, .expert), problems: [.erasureExists])

    /// Exactly one of `person` and `expert`.
    package struct Body: Codable, Sendable {
        package var person: Person.ID?
        package var expert: Expert.ID?
        /// `request` by default.
        package var reason: Erasure.Reason?

        package init(person: Person.ID? = nil, expert: Expert.ID? = nil, reason: Erasure.Reason? = nil) {
            self.person = person
            self.expert = expert
            self.reason = reason
        }
    }

    package typealias Response = Erasure
}

/// Lists erasures, latest first.
package enum ListErasures: Endpoint {
    package static let operation = Operation(
        .get, "/v1/erasures", "Lists erasures, latest first.",
        access: .roles(.operator, .auditor, .representative, .ambassador, .expert))

    package struct Filter: OptionalParameters {
        package var state: Erasure.State?

        package init() {}

        package init(state: Erasure.State? = nil) {
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Erasure>
}

/// Shows an erasure, and when each service completed it.
package enum GetErasure: Endpoint {
    package static let operation = Operation(
        .get, "/v1/erasures/{erasure}", "Shows an erasure, service by service.",
        access: .roles(.operator, .auditor, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = Erasure.ID
    package typealias Response = Erasure
}

/// Starts or refuses a requested erasure.
package enum TransitionErasure: Endpoint {
    package static let operation = Operation(
        .post, "/v1/erasures/{erasure}/transitions", "Begins or refuses a requested erasure.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Erasure.ID

    package struct Body: Codable, Sendable {
        /// `erasing` or `refused`.
        package var to: Erasure.State

        package init(to: Erasure.State) {
            self.to = to
        }
    }

    package typealias Response = Erasure
}

/// Tells a service whom to erase, with the data it needs for that, until all services are done.
package enum GetErasureNotice: Endpoint {
    package static let operation = Operation(
        .get, "/v1/erasures/{erasure}/notice", "Shows a service whom it has to erase.", access: .roles(.service),
        problems: [.notFound])

    package typealias Path = Erasure.ID
    package typealias Response = ErasureNotice
}

/// Whom a service has to erase.
package struct ErasureNotice: Codable, Hashable, Sendable {
    package var erasure: Erasure.ID
    package var state: Erasure.State
    package var entity: DataSubject.Entity
    package var subject: DataSubject.ID
    package var reason: Erasure.Reason
    /// The records that had been merged into it; empty once all services have reported.
    package var aliases: [DataSubject.ID]
    /// The addresses that only they had, in lower case; deleted together with the aliases.
    package var emails: [EmailAddress]
    /// When each address belonged to them alone; data kept by address only is found by these. Deleted together with
    /// the aliases. Absent if the directory does not know: then `emails` were theirs at all times.
    package var held: [AddressPeriod]?

    /// The subject and its aliases.
    package var everyone: [DataSubject.ID] { [subject] + aliases }

    /// The periods of all addresses.
    package var periods: [AddressPeriod] { held ?? emails.map { AddressPeriod(email: $0) } }

    package init(
        erasure: Erasure.ID, state: Erasure.State, entity: DataSubject.Entity, subject: DataSubject.ID,
        reason: Erasure.Reason, aliases: [DataSubject.ID] = [], emails: [EmailAddress] = [],
        held: [AddressPeriod]? = nil
    ) {
        self.erasure = erasure
        self.state = state
        self.entity = entity
        self.subject = subject
        self.reason = reason
        self.aliases = aliases
        self.emails = emails
        self.held = held
    }
}

/// Reports that the calling service has completed the erasure. Idempotent.
package enum ReportErasure: Endpoint {
    package static let operation = Operation(
        .post, "/v1/erasures/{erasure}/reports", "Reports that the calling service has completed an erasure.",
        access: .roles(.service), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Erasure.ID
    package typealias Response = Erasure
}

extension ProblemType {
    package static let erasureExists = ProblemType(
        "erasure-exists", "Its erasure has already been requested", .conflict)
}
