import HTTPTypes

/// An address of an outside system that is told what changes in a service, by the Standard Webhooks convention
/// (standardwebhooks.com, version 1.0.0).
package struct Webhook: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Webhook>

    package enum State: String, Codable, CaseIterable, Sendable {
        case active
        /// Nothing is sent, and what happens meanwhile is not kept for it.
        case disabled
    }

    /// Why it is disabled.
    package enum DisabledReason: String, Codable, CaseIterable, Sendable {
        case `operator`
        /// The receiver answered 410.
        case gone
        /// Five days of nothing but failures.
        case failing
    }

    /// How much a message says.
    package enum Payload: String, Codable, CaseIterable, Sendable {
        /// What changed and how; who wants to know more asks the API, with a token of its own.
        case thin
        /// The state of the thing at the time of sending as well. It may hold personal data.
        case state
    }

    package var id: ID
    package var url: WebhookAddress
    /// What it is told of; everything if empty.
    package var events: [WebhookEvent]
    package var payload: Payload
    package var description: Line?
    package var state: State
    package var disabledReason: DisabledReason?
    /// Since when no message arrived; absent after one that did.
    package var failingSince: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// `whsec_…`: shown in the answer to the creation, and never again.
    package var secret: String?

    /// The events that one webhook may name.
    static let mostEvents = FieldBound.most(50)
}

/// Where messages go: `https://…`, with a host name or an IP address. `http://` is for a receiver on the same machine, and only
/// where the service is configured so.
package struct WebhookAddress: TextValue, ExpressibleByStringLiteral {
    package let text: String
    package let isSecure: Bool
    /// In lower case; an IPv6 address without its brackets.
    package let host: String

    private static let forbidden = Array("\"<>\\^`{|}#@".utf8)

    /// With a host name in A-labels and lower case, and what follows it percent-encoded; nil where that cannot be.
    private static func ascii(_ text: String) -> String? {
        guard let bytes = WebAddress.encoded(text), bytes.count <= 2000 else { return nil }
        let scheme = text.hasBytePrefix("https://") ? 8 : 7
        let name = bytes.dropFirst(scheme).prefix { !"/?:[".utf8.contains($0) }
        guard name.contains(where: { $0 >= 0x80 || (0x41...0x5A).contains($0) }) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        guard let host = DomainName.ascii(name) else { return nil }
        return String(decoding: bytes[..<name.startIndex], as: UTF8.self) + host
            + String(decoding: bytes[name.endIndex...], as: UTF8.self)
    }

    package init(validating text: String) throws(InvalidText) {
        let refusal = InvalidText("is not a valid web address (https://…)")
        guard text.utf8.count <= 2000, let text = Self.ascii(text),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Self.forbidden.contains($0) })
        else { throw refusal }
        isSecure = text.hasBytePrefix("https://")
        guard isSecure || text.hasBytePrefix("http://") else { throw refusal }
        let authority = text.utf8.dropFirst(isSecure ? 8 : 7).prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?")
        }
        let name: Substring.UTF8View
        let port: Substring.UTF8View
        if authority.first == UInt8(ascii: "[") {
            name = authority.dropFirst().prefix { $0 != UInt8(ascii: "]") }
            port = authority.dropFirst(name.count + 2)
            guard authority.dropFirst(name.count + 1).first == UInt8(ascii: "]"),
                name.allSatisfy({ Hexadecimal.value($0) != nil || $0 == UInt8(ascii: ":") })
            else { throw refusal }
        } else {
            name = authority.prefix { $0 != UInt8(ascii: ":") }
            port = authority.dropFirst(name.count)
            guard name.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }),
                name.first != UInt8(ascii: "."), name.first != UInt8(ascii: "-"), name.count <= 253
            else { throw refusal }
        }
        guard !name.isEmpty, port.isEmpty || port.first == UInt8(ascii: ":") else { throw refusal }
        if !port.isEmpty {
            let digits = port.dropFirst()
            guard (1...5).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }),
                let number = Int(Substring(digits)), (1...65_535).contains(number)
            else { throw refusal }
        }
        host = Substring(name).asciiLowercased
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema {
        TextSchema(format: "uri", maxLength: 2000, example: "https://hooks.example.org/club")
    }
}

/// What a webhook wants to be told of: `person.changed`, `person.*`, `*.erased`.
package struct WebhookEvent: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        let refusal = InvalidText("is not an event such as person.changed, person.* or *.erased")
        guard text.utf8.count <= 100, text.isASCII else { throw refusal }
        let parts = text.split(atByte: UInt8(ascii: "."))
        guard parts.count == 2, text != "*.*", parts[0] == "*" || Self.isEntity(parts[0]),
            parts[1] == "*" || Change.Action(rawValue: String(parts[1])) != nil
        else { throw refusal }
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    /// Lower camel case, as the feed says it.
    private static func isEntity(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, (97...122).contains(first) else { return false }
        return name.utf8.allSatisfy { (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) }
    }

    package static var schema: TextSchema {
        let actions = Change.Action.allCases.map(\.rawValue).joined(separator: "|")
        return TextSchema(
            pattern: "^([a-z][A-Za-z0-9]*\\.(\(actions)|\\*)|\\*\\.(\(actions)))$", maxLength: 100,
            example: "person.changed")
    }
}

/// What every service serves for its webhooks: `endpoints: […] + WebhookAPI.endpoints`.
package enum WebhookAPI {
    package static let endpoints: [any Endpoint.Type] = [
        CreateWebhook.self, ListWebhooks.self, GetWebhook.self, ChangeWebhook.self, DeleteWebhook.self,
        RotateWebhookSecret.self, TestWebhook.self, ReplayWebhook.self,
        ListWebhookDeliveries.self, GetWebhookDelivery.self, ReplayWebhookDelivery.self,
    ]

    static let writers = Access.roles(.operator)
    static let readers = Access.roles(.operator, .auditor)
}

/// Adds a webhook. It is told what changes from now on.
package enum CreateWebhook: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks", "Adds a webhook; the answer shows its secret, once.", success: .created,
        access: WebhookAPI.writers, problems: [.tooManyWebhooks])

    package struct Body: Codable, Sendable, BoundedFields {
        package var url: WebhookAddress
        /// At most 50; everything if empty or absent.
        package var events: [WebhookEvent]?
        /// `thin` unless said otherwise.
        package var payload: Webhook.Payload?
        package var description: Line?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["events": Webhook.mostEvents]

        package init(
            url: WebhookAddress, events: [WebhookEvent]? = nil, payload: Webhook.Payload? = nil,
            description: Line? = nil
        ) {
            self.url = url
            self.events = events
            self.payload = payload
            self.description = description
        }
    }

    package typealias Response = Webhook
}

/// Lists webhooks, the oldest first.
package enum ListWebhooks: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhooks", "Lists webhooks, oldest first.", access: WebhookAPI.readers)

    package struct Query: Codable, Sendable, PagedQuery {
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Webhook>
}

/// Shows a webhook.
package enum GetWebhook: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhooks/{webhook}", "Shows a webhook.", access: WebhookAPI.readers, problems: [.notFound])

    package typealias Path = WebhookPath
    package typealias Response = Webhook
}

/// Changes a webhook. Made active again, it goes on with what was waiting when it was disabled, and is told what changes from
/// then on.
package enum ChangeWebhook: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/webhooks/{webhook}", "Changes a webhook, disables it or makes it active again.",
        access: WebhookAPI.writers, problems: [.notFound], requiresIfMatch: true)

    package typealias Path = WebhookPath

    package struct Body: Codable, Sendable, BoundedFields {
        package var url: WebhookAddress?
        package var events: [WebhookEvent]?
        package var payload: Webhook.Payload?
        package var description: Patched<Line>
        package var state: Webhook.State?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["events": Webhook.mostEvents]

        package init(
            url: WebhookAddress? = nil, events: [WebhookEvent]? = nil, payload: Webhook.Payload? = nil,
            description: Patched<Line> = nil, state: Webhook.State? = nil
        ) {
            self.url = url
            self.events = events
            self.payload = payload
            self.description = description
            self.state = state
        }
    }

    package typealias Response = Webhook
}

/// Removes a webhook, and what it was still to be told.
package enum DeleteWebhook: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/webhooks/{webhook}", "Removes a webhook and its delivery log.", success: .noContent,
        access: WebhookAPI.writers, problems: [.notFound], requiresIfMatch: true)

    package typealias Path = WebhookPath
}

/// Gives a webhook a new secret. For a day messages bear the signatures of both, so that the receiver can change over.
package enum RotateWebhookSecret: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks/{webhook}/secret", "Gives a webhook a new secret, shown once; the old one holds a day.",
        access: WebhookAPI.writers, problems: [.notFound, .conflict])

    package typealias Path = WebhookPath
    package typealias Response = WebhookSecretRotation
}

/// What a rotation came to.
package struct WebhookSecretRotation: Codable, Hashable, Sendable {
    /// `whsec_…`: shown now, and never again.
    package var secret: String
    /// Until when messages are signed with the secret before this one as well.
    package var previousValidUntil: Timestamp

    package init(secret: String, previousValidUntil: Timestamp) {
        self.secret = secret
        self.previousValidUntil = previousValidUntil
    }
}

/// Sends a message of the type `webhook.test`; the delivery shows what came of it.
package enum TestWebhook: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks/{webhook}/test", "Sends a message to try a webhook.", success: .accepted,
        access: WebhookAPI.writers, problems: [.notFound, .webhookDisabled])

    package typealias Path = WebhookPath
    package typealias Response = WebhookDelivery
}

/// `/v1/webhooks/{webhook}`
package struct WebhookPath: Codable, Sendable {
    package var webhook: Webhook.ID

    package init(webhook: Webhook.ID) {
        self.webhook = webhook
    }
}

extension ProblemType {
    package static let tooManyWebhooks = ProblemType(
        "too-many-webhooks", "There are as many as there can be", .conflict)
    package static let webhookDisabled = ProblemType("webhook-disabled", "The webhook is disabled", .conflict)
}
