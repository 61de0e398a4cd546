import ClubProtocol
import ServiceKit

/// `MAIL_LIMITS_FILE` cannot be used: one line for the operator.
struct MailLimitsInvalid: Error, Hashable, CustomStringConvertible {
    var path: String
    var reason: String

    var description: String { "MAIL_LIMITS_FILE \(path): \(reason)" }
}

/// An operator's changes to the rules of lanes: the content of `MAIL_LIMITS_FILE`.
///
/// `{"orange": {"messagesPerMinute": 300}, "other": {"connections": 2}, "domain:example.org": {…}}`: each object changes
/// only what it names.
struct MailLimitsFile: Hashable, Sendable {
    private enum Limit: String, CaseIterable {
        case connections, messagesPerConnection, messagesPerMinute, messagesPerDay

        /// Beyond these a value is a typing error: a rule that limits nothing.
        var bounds: ClosedRange<Int> {
            switch self {
            // As many as `MAIL_URL` can name.
            case .connections: 1...32
            case .messagesPerConnection: 1...10_000
            case .messagesPerMinute: 1...100_000
            case .messagesPerDay: 1...10_000_000
            }
        }
    }

    private static let maximumBytes = 64 << 10

    private var changes: [String: [Limit: Int]] = [:]

    /// Changes nothing.
    init() {}

    init(path: String) throws(MailLimitsInvalid) {
        let bytes: [UInt8]
        do {
            bytes = try OpenFile(reading: path).readToEnd(atMost: Self.maximumBytes + 1)
        } catch {
            throw MailLimitsInvalid(path: path, reason: "cannot be read: \(error)")
        }
        guard bytes.count <= Self.maximumBytes else {
            throw MailLimitsInvalid(path: path, reason: "is longer than \(Self.maximumBytes) bytes")
        }
        guard let value = try? StrictJSON.decode(JSONValue.self, from: bytes) else {
            throw MailLimitsInvalid(path: path, reason: "is not JSON, or has a duplicate key")
        }
        guard case .object(let lanes) = value else {
            throw MailLimitsInvalid(path: path, reason: "must be an object of lanes")
        }
        // Sorted, so that the same file always has the same fault.
        for (lane, rule) in lanes.sorted(by: { $0.key < $1.key }) {
            guard MailProviders.hasLane(lane) else {
                let codes = MailProviders.all.map(\.code).joined(separator: ", ")
                throw MailLimitsInvalid(
                    path: path,
                    reason: "\(Self.shown(lane)) is not a lane: \(codes), \(LaneName.other), or domain: and a domain")
            }
            guard case .object(let limits) = rule else {
                throw MailLimitsInvalid(path: path, reason: "\(lane) must be an object of limits")
            }
            for (name, value) in limits.sorted(by: { $0.key < $1.key }) {
                guard let limit = Limit(rawValue: name) else {
                    let known = Limit.allCases.map(\.rawValue).joined(separator: ", ")
                    throw MailLimitsInvalid(
                        path: path, reason: "\(lane)/\(Self.shown(name)) is not a limit: \(known)")
                }
                guard let number = value.integer, limit.bounds.contains(number) else {
                    throw MailLimitsInvalid(
                        path: path,
                        reason: "\(lane)/\(name) must be a whole number from \(limit.bounds.lowerBound) to "
                            + "\(limit.bounds.upperBound)")
                }
                changes[lane, default: [:]][limit] = number
            }
        }
    }

    /// A key as it is shown in an error: short, and on one line.
    private static func shown(_ key: String) -> String {
        "\"\(key.removingScalars { $0.value < 0x20 || $0.value == 0x7F || $0.endsLine }.prefix(scalars: 100))\""
    }

    /// The rule of a lane, with the changes.
    ///
    /// - Parameter connections: as many as the transport has: no lane has more.
    func rule(of lane: String, connections: Int) -> LaneRule {
        var rule = MailProviders.rule(of: lane, connections: connections)
        let changes = changes[lane] ?? [:]
        rule.connections = min(changes[.connections] ?? rule.connections, connections)
        rule.messagesPerConnection = changes[.messagesPerConnection] ?? rule.messagesPerConnection
        rule.messagesPerMinute = changes[.messagesPerMinute] ?? rule.messagesPerMinute
        rule.messagesPerDay = changes[.messagesPerDay] ?? rule.messagesPerDay
        return rule
    }
}
