import HTTPTypes

/// Sends a link to an ambassador's or expert's own record to an address, if the directory has one with it. The
/// response and its timing are the same either way, so they do not reveal who is in the directory.
package enum RequestSelfServiceLink: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service-links", "Mails the owner of an address a link to their record, if they have one.",
        success: .accepted,
        access: .anyone, problems: [.tooManyRequests])

    package struct Body: Codable, Sendable {
        package var email: EmailAddress

        package init(email: EmailAddress) {
            self.email = email
        }
    }
}

/// The page with the form to request such a link.
package enum ShowSelfServiceEntry: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service", "Page: asks for the address to which a link to one's record is mailed.",
        access: .anyone, produces: .html)

    package typealias Response = TextDocument
}

/// Submits that form.
package enum SubmitSelfServiceEmail: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service", "Form: mails a link to one's record, if there is one.", access: .anyone,
        problems: [.tooManyRequests], consumes: .form, produces: .html)

    package struct Body: Codable, Sendable {
        package var email: String

        package init(email: String) {
            self.email = email
        }
    }

    package typealias Response = TextDocument
}

/// The caller's own record, and the available actions. Opening it changes nothing, because mail scanners follow
/// links.
package enum ShowOwnRecord: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service/{token}", "Page: one's record, by the link of a mail.", access: .anyone,
        problems: [.notFound], produces: .html)

    /// The action just completed, shown above the record.
    package enum Done: String, Codable, CaseIterable, Sendable {
        case confirmed, changed, left, enrolled, erasureAsked
    }

    package struct Query: Codable, Sendable {
        package var done: Done?

        package init(done: Done? = nil) {
            self.done = done
        }
    }

    package typealias Path = String
    package typealias Response = TextDocument
}

/// Confirms the caller's own record.
package enum ConfirmOwnRecord: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/confirmation", "Form: confirms one's record.", success: .seeOther,
        access: .anyone, problems: [.notFound, .transitionNotAllowed], consumes: .form, produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}

/// Leaves the network, or comes back.
package enum TransitionOwnEnrolment: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/transition", "Form: leaves the network, or comes back.",
        success: .seeOther, access: .anyone, problems: [.notFound, .transitionNotAllowed], consumes: .form,
        produces: .html)

    package typealias Path = String
    package typealias Body = Enrolment.Move
    package typealias Response = TextDocument
}

/// The form for changing the caller's own record.
package enum ShowOwnRecordForm: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service/{token}/record", "Page: the form for changing one's record.",
        redirects: [.seeOther], access: .anyone, problems: [.notFound], produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}

/// Changes and thereby confirms the caller's own record. Invalid input is reported next to its field, and nothing is
/// changed.
package enum ChangeOwnRecord: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/record", "Form: changes and confirms one's record.",
        success: .seeOther, access: .anyone, problems: [.notFound, .stale], consumes: .form, produces: .html)

    /// As sent by a browser: every text field, and the boxes that are ticked.
    package struct Body: Codable, Sendable, BoundedFields {
        /// The version shown in the form, of the ambassador or the expert.
        package var version: Int
        /// The version of the person, in an ambassador's form.
        package var personVersion: Int?
        package var contactName: String?
        /// For an ambassador, as are the following fields. An older form without them changes none of them.
        package var honorificPrefix: String?
        package var jobTitle: String?
        package var email: String?
        /// One per line.
        package var otherEmails: String?
        package var telephone: String?
        /// One per line.
        package var otherTelephones: String?
        package var website: String?
        /// Codes, separated by commas or white space.
        package var departements: String?
        package var topics: [String]
        /// One per line.
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

    package typealias Path = String
    package typealias Response = TextDocument
}

/// Everything that the four services know about the person of the record (GDPR, article 15), as a file.
package enum GetOwnData: Endpoint {
    package static let operation = Operation(
        .get, "/v1/self-service/{token}/data", "Gathers everything the club knows about the owner of a link.",
        access: .anyone, problems: [.notFound])

    package typealias Path = String
    package typealias Response = AccessDocument
}

/// Requests the erasure of all data about the person (GDPR, article 17); staff start it. Requesting it again has no
/// further effect.
package enum RequestOwnErasure: Endpoint {
    package static let operation = Operation(
        .post, "/v1/self-service/{token}/erasure", "Form: requests the erasure of one's record.",
        success: .seeOther, access: .anyone, problems: [.notFound], consumes: .form, produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}
