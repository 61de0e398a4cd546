package import HTTPTypes

/// What stands around the shapes of an ``Endpoint``: where it is, who may call it, how it answers.
package struct Operation: Sendable {
    /// What a request or an answer carries.
    package enum Media: String, Sendable {
        case json = "application/json"
        /// One JSON value a line; the answer is a stream.
        case ndjson = "application/x-ndjson"
        /// A table as people have it; a request's body is a stream, and so may an answer be.
        case csv = "text/csv"
        /// What a page's form sends; the keys of `Body` are the names of its fields.
        case form = "application/x-www-form-urlencoded"
        /// A page for people; its problems are pages too.
        case html = "text/html; charset=utf-8"
        case xml = "application/xml"
        case plain = "text/plain; charset=utf-8"
        case svg = "image/svg+xml"
        case vcard = "text/vcard; charset=utf-8"
        /// The body is a ``FileDocument``.
        case pdf = "application/pdf"

        /// What a request's body of it is called, without parameters; the first is what to write, the others are what it was
        /// called before.
        package var names: [String] {
            switch self {
            // RFC 6350, 10.1; RFC 2425 and RFC 2426; what was there before there was a name.
            case .vcard: ["text/vcard", "text/directory", "text/x-vcard"]
            default: [rawValue]
            }
        }

        /// Whether the body is a ``TextDocument`` or a ``FileDocument``, and no JSON.
        package var isText: Bool {
            switch self {
            case .json, .ndjson: false
            case .csv, .form, .html, .xml, .plain, .svg, .vcard, .pdf: true
            }
        }
    }

    /// An operation that will go, and what replaces it (RFC 9745, RFC 8594).
    package struct Deprecation: Sendable {
        package var since: Timestamp
        package var sunset: Timestamp

        package init(since: Timestamp, sunset: Timestamp) {
            self.since = since
            self.sunset = sunset
        }
    }

    package var method: HTTPRequest.Method
    /// `/v1/events/{event}/registrations`: variables in braces.
    package var path: String
    /// One English sentence for the OpenAPI document.
    package var summary: String
    /// A redirection where the operation ends on another page, as a form does.
    package var success: HTTPResponse.Status
    /// Where else the caller may be led: 301 to what has another address for good, 303 to a page instead of this one.
    package var redirects: [HTTPResponse.Status]
    /// With which other statuses the same comes: 200 of a POST for what was there already.
    package var alternatives: [HTTPResponse.Status]
    package var access: Access
    /// The problems of the domain that this operation can answer; those every operation can answer are not listed.
    package var problems: [ProblemType]
    package var consumes: Media
    /// What else a body may be.
    package var alsoConsumes: [Media]
    package var produces: Media
    /// Whether the caller must say by `If-Match` which version the change is based on.
    package var requiresIfMatch: Bool
    package var deprecation: Deprecation?

    package init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, success: HTTPResponse.Status = .ok,
        redirects: [HTTPResponse.Status] = [], alternatives: [HTTPResponse.Status] = [], access: Access,
        problems: [ProblemType] = [], consumes: Media = .json, alsoConsumes: [Media] = [],
        produces: Media = .json,
        requiresIfMatch: Bool = false, deprecation: Deprecation? = nil
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.success = success
        self.redirects = redirects
        self.alternatives = alternatives
        self.access = access
        self.problems = problems
        self.consumes = consumes
        self.alsoConsumes = alsoConsumes
        self.produces = produces
        self.requiresIfMatch = requiresIfMatch
        self.deprecation = deprecation
    }

    /// The names of all that a body may be.
    package var bodyNames: [String] { ([consumes] + alsoConsumes).flatMap(\.names) }

    /// The path cut at its slashes, variables apart from words.
    package var segments: [Segment] {
        path.split(atByte: UInt8(ascii: "/"), omittingEmpty: true).map { part in
            part.hasBytePrefix("{") ? .variable(String(part.dropFirst().dropLast())) : .word(String(part))
        }
    }

    package enum Segment: Hashable, Sendable {
        case word(String)
        case variable(String)
    }
}
