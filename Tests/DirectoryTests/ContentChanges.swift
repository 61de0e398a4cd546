import ClubProtocol

/// Changes as the feed of the content service tells them, without the service.
extension Change {
    /// - Parameter at: when the change was made.
    static func suppression(
        _ id: Suppression.ID, _ email: EmailAddress, _ reason: Suppression.Reason = .bounced,
        purpose: Suppression.Purpose? = nil, unsubscribedAt: Timestamp? = nil, at: Timestamp = .now
    ) throws -> Change {
        var data: [String: JSONValue] = [
            "id": .string(id.text), "email": .string(email.text), "reason": .string(reason.rawValue),
        ]
        data["purpose"] = purpose.map { .string($0.rawValue) }
        data["unsubscribedAt"] = unsubscribedAt.map { .string($0.text) }
        return Change(
            cursor: try Cursor(validating: "x"), entity: .suppression, id: id.text, action: .created, version: nil,
            at: at, data: .object(data))
    }

    static func left(
        _ email: EmailAddress, _ purpose: Suppression.Purpose, at time: Timestamp
    ) throws -> Change {
        try suppression(Suppression.ID(), email, .unsubscribed, purpose: purpose, unsubscribedAt: time, at: time)
    }

    /// The end of a suppression.
    static func lifted(_ id: Suppression.ID) throws -> Change {
        Change(
            cursor: try Cursor(validating: "x"), entity: .suppression, id: id.text, action: .deleted, version: nil,
            at: .now, data: nil)
    }

    static func returned(
        _ email: EmailAddress, _ purpose: Suppression.Purpose, leftAt: Timestamp, at time: Timestamp
    ) throws -> Change {
        let notice = ConsentReturn(
            id: ConsentReturn.ID(), email: email, purpose: purpose, leftAt: leftAt, returnedAt: time)
        return Change(
            cursor: try Cursor(validating: "x"), entity: .consentReturn, id: notice.id.text, action: .created,
            version: nil, at: time, data: try LenientJSON.decode(JSONValue.self, from: WireJSON.encode(notice)))
    }
}
