import HTTPTypes

/// An address of an external system that is notified of changes in a service, by the Standard Webhooks specification
/// (standardwebhooks.com, version 1.0.0).
package struct Webhook: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Webhook>

    package enum State: String, Codable, CaseIterable, Sendable {
        case active
        /// Nothing is sent, and changes in the meantime are not queued for it.
        case disabled
    }

    /// Why the webhook is disabled.
    package enum DisabledReason: String, Codable, CaseIterable, Sendable {
        case `operator`
        /// The receiver responded 410.
        case gone
        /// Every delivery has failed for five days.
        case failing
    }

    /// How much a message contains.
    package enum Payload: String, Codable, CaseIterable, Sendable {
        /// What changed and how. For more, the receiver calls the API with its own token.
        case thin
        /// Also the state of the entity at the time of sending, which may contain personal data.
        case state
    }

    package var id: ID
    package var url: WebhookAddress
    /// The events it is notified of; all if empty.
    package var events: [WebhookEvent]
    package var payload: Payload
    package var description: Line?
    package var state: State
    package var disabledReason: DisabledReason?
    /// The time since which no message has been delivered; absent after a successful delivery.
    package var failingSince: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// `whsec_…`: returned only when the webhook is created.
    package var secret: String?

    /// The maximum number of events that a webhook may name.
    static let mostEvents = FieldBound.most(50)
}

/// Where messages are sent: `https://…`, with a host name or an IP address. `http://` is for a receiver on the same
/// machine, and only if the service is configured to allow it.
package struct WebhookAddress: TextValue, ExpressibleByStringLiteral {
    package let text: String
    package let isSecure: Bool
    /// In lower case; an IPv6 address has no brackets.
    package let host: String

    private static let forbidden = Array("\"<>\\^`{|}#@".utf8)

    /// With the host name in lower-case A-labels and everything after it percent-encoded; nil if that is not
    /// possible.
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

    package static var schema: TextSchema {
        TextSchema(format: "uri", maxLength: 2000, example: "https://hooks.example.org/club")
    }
}

/// An event a webhook subscribes to: `person.changed`, `person.*`, `*.erased`.
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

    /// Lower camel case, as in the change feed.
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

/// The endpoints that every service has for its webhooks: `endpoints: […] + WebhookAPI.endpoints`.
package enum WebhookAPI {
    package static let endpoints: [any Endpoint.Type] = [
        CreateWebhook.self, ListWebhooks.self, GetWebhook.self, ChangeWebhook.self, DeleteWebhook.self,
        RotateWebhookSecret.self, TestWebhook.self, ReplayWebhook.self,
        ListWebhookDeliveries.self, GetWebhookDelivery.self, ReplayWebhookDelivery.self,
    ]

    static let writers = Access.roles(.operator)
    static let readers = Access.roles(.operator, .auditor)
}

/// Adds a webhook. It is notified of changes from now on.
package enum CreateWebhook: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks", "Adds a webhook; the answer shows its secret, once.", success: .created,
        access: WebhookAPI.writers, problems: [.tooManyWebhooks])

    package struct Body: Codable, Sendable, BoundedFields {
        package var url: WebhookAddress
        /// At most 50; all events if empty or absent.
        package var events: [WebhookEvent]?
        /// `thin` by default.
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

/// Lists webhooks, oldest first.
package enum ListWebhooks: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhooks", "Lists webhooks, oldest first.", access: WebhookAPI.readers)

    package typealias Query = Paged<Empty>
    package typealias Response = Page<Webhook>
}

/// Shows a webhook.
package enum GetWebhook: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhooks/{webhook}", "Shows a webhook.", access: WebhookAPI.readers, problems: [.notFound])

    package typealias Path = Webhook.ID
    package typealias Response = Webhook
}

/// Changes a webhook. When enabled again, it resumes with the messages that were pending when it was disabled, and is
/// notified of changes from then on.
package enum ChangeWebhook: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/webhooks/{webhook}", "Changes a webhook, disables it or makes it active again.",
        access: WebhookAPI.writers, problems: [.notFound], requiresIfMatch: true)

    package typealias Path = Webhook.ID

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

/// Deletes a webhook and its pending messages.
package enum DeleteWebhook: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/webhooks/{webhook}", "Removes a webhook and its delivery log.", success: .noContent,
        access: WebhookAPI.writers, problems: [.notFound], requiresIfMatch: true)

    package typealias Path = Webhook.ID
}

/// Issues a new secret. For one day messages are signed with both, so that the receiver can change over.
package enum RotateWebhookSecret: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks/{webhook}/secret",
        "Gives a webhook a new secret, shown once; the old one is valid for a day.",
        access: WebhookAPI.writers, problems: [.notFound, .conflict])

    package typealias Path = Webhook.ID
    package typealias Response = WebhookSecretRotation
}

/// The result of a rotation.
package struct WebhookSecretRotation: Codable, Hashable, Sendable {
    /// `whsec_…`: returned only now.
    package var secret: String
    /// Until when messages are also signed with the previous secret.
    package var previousValidUntil: Timestamp

    package init(secret: String, previousValidUntil: Timestamp) {
        self.secret = secret
        self.previousValidUntil = previousValidUntil
    }
}

/// Sends a message of type `webhook.test`; the delivery shows the result.
package enum TestWebhook: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks/{webhook}/test", "Sends a test message to a webhook.", success: .accepted,
        access: WebhookAPI.writers, problems: [.notFound, .webhookDisabled])

    package typealias Path = Webhook.ID
    package typealias Response = WebhookDelivery
}

extension ProblemType {
    package static let tooManyWebhooks = ProblemType(
        "too-many-webhooks", "The maximum number of webhooks is reached", .conflict)
    package static let webhookDisabled = ProblemType("webhook-disabled", "The webhook is disabled", .conflict)
}
