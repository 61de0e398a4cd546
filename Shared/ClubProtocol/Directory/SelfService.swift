import HTTPTypes

/// Mails a link to the own record to an address, if the directory has an ambassador or an expert by it. The answer is the
/// same either way, and so is the time it takes: it tells nobody who is in the directory.
package enum RequestSelfServiceLink: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service-links", "Mails a link to the own record, if there is one.", success: .accepted,
        access: .anyone, problems: [.tooManyRequests])

    package struct Body: Codable, Sendable {
        package var email: EmailAddress

        package init(email: EmailAddress) {
            self.email = email
        }
    }
}

/// The page with the form for such a link.
package enum ShowSelfServiceEntry: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service", "Page: asks for the address to which a link to the own record is mailed.",
        access: .anyone, produces: .html)

    package typealias Response = TextDocument
}

/// What that form sends.
package enum SubmitSelfServiceEmail: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service", "Form: mails a link to the own record, if there is one.", access: .anyone,
        problems: [.tooManyRequests], consumes: .form, produces: .html)

    package struct Body: Codable, Sendable {
        package var email: String

        package init(email: String) {
            self.email = email
        }
    }

    package typealias Response = TextDocument
}

/// The own record, with what can be done about it. To look at it changes nothing: programs that check mails follow links.
package enum ShowOwnRecord: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service/{token}", "Page: the own record, by the link of a mail.", access: .anyone,
        problems: [.notFound], produces: .html)

    /// What has just been done, to be said above the record.
    package enum Done: String, Codable, CaseIterable, Sendable {
        case confirmed, changed, left, enrolled, erasureAsked
    }

    package struct Query: Codable, Sendable {
        package var done: Done?

        package init(done: Done? = nil) {
            self.done = done
        }
    }

    package typealias Path = SelfServicePath
    package typealias Response = TextDocument
}

/// Says that the own record is right.
package enum ConfirmOwnRecord: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/confirmation", "Form: confirms the own record.", success: .seeOther,
        access: .anyone, problems: [.notFound, .transitionNotAllowed], consumes: .form, produces: .html)

    package typealias Path = SelfServicePath
    package typealias Response = TextDocument
}

/// Leaves the network, or comes back.
package enum TransitionOwnEnrolment: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/transition", "Form: leaves the network, or comes back.",
        success: .seeOther, access: .anyone, problems: [.notFound, .transitionNotAllowed], consumes: .form,
        produces: .html)

    package typealias Path = SelfServicePath
    package typealias Body = Enrolment.Move
    package typealias Response = TextDocument
}

/// The form in which the own record can be changed.
package enum ShowOwnRecordForm: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service/{token}/record", "Page: the form of the own record.",
        redirects: [.seeOther], access: .anyone, problems: [.notFound], produces: .html)

    package typealias Path = SelfServicePath
    package typealias Response = TextDocument
}

/// Changes the own record, which confirms it. What cannot be taken is said beside its field, and nothing is changed.
package enum ChangeOwnRecord: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/record", "Form: changes and confirms the own record.",
        success: .seeOther, access: .anyone, problems: [.notFound, .stale], consumes: .form, produces: .html)

    /// As a browser sends it: every text field, and of the boxes those that are ticked.
    package struct Body: Codable, Sendable, BoundedFields {
        /// The version that the form shows; of the ambassador, or of the expert.
        package var version: Int
        /// The person's, in an ambassador's form.
        package var personVersion: Int?
        package var contactName: String?
        /// An ambassador's, as what follows; a form from before has none of them, and changes none.
        package var honorificPrefix: String?
        package var jobTitle: String?
        package var email: String?
        /// One a line.
        package var otherEmails: String?
        package var telephone: String?
        /// One a line.
        package var otherTelephones: String?
        package var website: String?
        /// Codes, with commas or blanks between them.
        package var departements: String?
        package var topics: [String]
        /// One a line.
        package var brands: String?
        package var flashInfo: Bool?
        package var eventInvitations: Bool?
        package var publicDirectory: Bool?
        package var partnerOffers: Bool?

        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "version": .version, "personVersion": .version, "topics": .most(FlatCoding.mostPairs),
        ]

        package init(version: Int, topics: [String]) {
            self.version = version
            self.topics = topics
        }
    }

    package typealias Path = SelfServicePath
    package typealias Response = TextDocument
}

/// Everything that the four services know, for whoever the record is about (GDPR, article 15); as a file.
package enum GetOwnData: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service/{token}/data", "Gathers everything the club knows about the owner of a link.",
        access: .anyone, problems: [.notFound])

    package typealias Path = SelfServicePath
    package typealias Response = AccessDocument
}

/// Asks that everything about oneself be erased (GDPR, article 17); the club's staff begins it. Asked twice, it is asked once.
package enum RequestOwnErasure: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/erasure", "Form: asks for the erasure of all that is known of oneself.",
        success: .seeOther, access: .anyone, problems: [.notFound], consumes: .form, produces: .html)

    package typealias Path = SelfServicePath
    package typealias Response = TextDocument
}

/// `/v1/self-service/{token}`
package struct SelfServicePath: Codable, Sendable {
    /// Signed, for one record, good for a while.
    package var token: String

    package init(token: String) {
        self.token = token
    }
}
