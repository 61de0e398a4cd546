import ClubProtocol
import ServiceKit

/// A row of another tool's list, as a suppression.
struct SuppressionRow: Sendable {
    /// Starting at 1, without the header.
    var number: Int
    var suppression: SuppressionStore.New

    private static let reasons: [String: Suppression.Reason] = {
        var reasons: [String: Suppression.Reason] = [:]
        for word in [
            "unsubscribed", "unsubscribe", "unsub", "optout", "optedout", "desinscrit", "desinscrite", "desinscription",
            "desabonne", "desabonnee",
        ] { reasons[word] = .unsubscribed }
        for word in ["bounced", "bounce", "hard", "hardbounce", "hardbounced", "cleaned", "blacklisted", "npai"] {
            reasons[word] = .bounced
        }
        for word in ["complaint", "complained", "spam", "abuse", "plainte"] { reasons[word] = .complaint }
        for word in ["blocked", "blocklisted", "manual", "exclu", "exclue", "bloque", "bloquee"] {
            reasons[word] = .manual
        }
        return reasons
    }()

    /// - Parameter standard: the reason where the row has none.
    /// - Throws: ``Fault``
    init(
        _ cells: [String], number: Int, in columns: SuppressionColumns, standard: Suppression.Reason,
        now: Timestamp = .now
    ) throws(Fault) {
        let written = Self.cell(columns.email, of: cells)
        guard !written.isEmpty else { throw Fault(place: columns.email, detail: "is missing") }
        let email: EmailAddress
        do throws(InvalidText) {
            email = try EmailAddress(validating: written)
        } catch {
            throw Fault(place: columns.email, detail: error.reason)
        }
        var reason = standard
        if let place = columns.reason, case let word = Self.cell(place, of: cells), !word.isEmpty {
            guard let known = Self.reasons[FoldedWord.key(word)] else {
                throw Fault(place: place, detail: "is not a reason that is known")
            }
            reason = known
        }
        var at: Timestamp?
        if let place = columns.date, case let text = Self.cell(place, of: cells), !text.isEmpty {
            do throws(InvalidText) {
                at = try Self.time(text, now: now)
            } catch {
                throw Fault(place: place, detail: error.reason)
            }
        }
        self.number = number
        suppression = .init(
            email: email, reason: reason, purpose: reason == .unsubscribed ? .flashInfo : nil, at: at)
    }

    /// What is wrong with a row.
    struct Fault: Error {
        /// The position of the cell; nil if it is the row as a whole.
        var place: Int?
        var detail: String
    }

    private static func cell(_ place: Int, of cells: [String]) -> String {
        cells.indices.contains(place) ? String(cells[place].trimmingBlanks) : ""
    }

    /// A time with its zone (RFC 3339); or a day, as `2026-03-14` or `14/03/2026`, whatever time without a zone follows.
    /// That one counts until its end, because a refusal that is taken for an earlier one is lifted by what the reader
    /// answered before it.
    private static func time(_ text: String, now: Timestamp) throws(InvalidText) -> Timestamp {
        if let time = try? Timestamp(validating: text) {
            guard time <= now else { throw InvalidText("is in the future") }
            if let fault = DayMeaning.consent.fault(at: time) { throw InvalidText(fault) }
            return time
        }
        let day = try DayMeaning.consent.checked(try Self.day(text))
        return min(now, try Timestamp(validating: "\(day)T23:59:59Z"))
    }

    private static func day(_ text: String) throws(InvalidText) -> Day {
        let written = Substring(text.utf8.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "T") })
        let parts = written.split(atByte: UInt8(ascii: "/"))
        guard parts.count == 3 else { return try Day(validating: String(written)) }
        let (day, month) = (parts[0].utf8.count == 1 ? "0\(parts[0])" : "\(parts[0])", String(parts[1]))
        return try Day(validating: "\(parts[2])-\(month.utf8.count == 1 ? "0" : "")\(month)-\(day)")
    }
}
