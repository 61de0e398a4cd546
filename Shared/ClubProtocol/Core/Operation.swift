package import HTTPTypes

/// Everything about an ``Endpoint`` except its types: where it is, who may call it, how it responds.
package struct Operation: Sendable {
    /// The media type of a request or a response.
    package enum Media: String, Sendable {
        case json = "application/json"
        /// One JSON value per line; the response is a stream.
        case ndjson = "application/x-ndjson"
        /// A table for spreadsheets. A request body is a stream; a response may be one too.
        case csv = "text/csv"
        /// What an HTML form sends; the keys of `Body` are the names of its fields.
        case form = "application/x-www-form-urlencoded"
        /// A page for people; its problem responses are pages too.
        case html = "text/html; charset=utf-8"
        case xml = "application/xml"
        case plain = "text/plain; charset=utf-8"
        case svg = "image/svg+xml"
        case vcard = "text/vcard; charset=utf-8"
        /// A message as mail servers exchange it (RFC 5322). The body is a ``FileDocument``.
        case message = "message/rfc822"
        /// The body is a ``FileDocument``.
        case pdf = "application/pdf"

        /// The names accepted for this type in a request, without parameters. The first is the current one; the
        /// others are older names.
        package var names: [String] {
            switch self {
            // RFC 6350, 10.1; RFC 2425 and RFC 2426; and the name used before any was registered.
            case .vcard: ["text/vcard", "text/directory", "text/x-vcard"]
            default: [rawValue]
            }
        }

        /// Whether the body is a ``TextDocument`` or a ``FileDocument`` rather than JSON.
        package var isText: Bool {
            switch self {
            case .json, .ndjson: false
            case .csv, .form, .html, .xml, .plain, .svg, .vcard, .message, .pdf: true
            }
        }
    }

    /// An operation that will be removed, and what replaces it (RFC 9745, RFC 8594).
    package struct Deprecation: Sendable {
        package var since: Timestamp
        package var sunset: Timestamp

        package init(since: Timestamp, sunset: Timestamp) {
            self.since = since
            self.sunset = sunset
        }
    }

    package var method: HTTPRequest.Method
    /// `/v1/events/{event}/registrations`, with variables in braces.
    package var path: String
    /// One English sentence for the OpenAPI document.
    package var summary: String
    /// A redirect if the operation ends on another page, as a form does.
    package var success: HTTPResponse.Status
    /// Where else the caller may be redirected: 301 to a new permanent address, 303 to another page.
    package var redirects: [HTTPResponse.Status]
    /// Other statuses with the same response: a POST responds 200 if the resource already existed.
    package var alternatives: [HTTPResponse.Status]
    package var access: Access
    /// The operation's own problems; those that every operation can have are not listed.
    package var problems: [ProblemType]
    package var consumes: Media
    /// Other media types that the body may have.
    package var alsoConsumes: [Media]
    package var produces: Media
    /// Whether the caller must send `If-Match` with the version that the change is based on.
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

    /// The names of all media types that the body may have.
    package var bodyNames: [String] { ([consumes] + alsoConsumes).flatMap(\.names) }

    /// The path split at its slashes, with variables told apart from literals.
    package var segments: [Segment] {
        path.split(atByte: UInt8(ascii: "/"), omittingEmpty: true).map { part in
            part.hasBytePrefix("{") ? .variable(String(part.dropFirst().dropLast())) : .word(String(part))
        }
    }

    /// The names of the path's variables, in order.
    package var variables: [String] { segments.compactMap { if case .variable(let name) = $0 { name } else { nil } } }

    package enum Segment: Hashable, Sendable {
        case word(String)
        case variable(String)
    }
}
