import ClubProtocol
import ServiceKit

/// Which of two rows' values the survivor of a merge has.
enum MergeRules {
    typealias Image = [String: JSONValue]
    typealias Side = MergeRecords.Body.Side

    /// Columns that say one thing together: a value of one record with a value of the other would say something that neither
    /// did.
    static let groups: [Set<String>] = [
        ["kind", "sub_kind"], ["siren", "siret"], ["postal_code", "commune", "departement"], enrolment,
        Set(emails), Set(telephones),
    ]
    /// The first, and the further ones; experts and organizations have no further ones.
    private static let emails = ["email", "other_emails"]
    private static let telephones = ["telephone", "other_telephones"]
    /// As many as a person has beside the first.
    private static let further = 10
    private static let mailboxes = "mailboxes"
    private static let enrolment: Set<String> = ["enrolled_on", "left_on", "confirmed_at"]
    /// What people say of themselves, by a link or an answer: where it was said after a merge, its undo leaves it.
    private static let personal: [Set<String>] = [Set(emails), enrolment]
    /// By the purpose: where a record agrees, and nobody knows since when.
    struct Guessed {
        var survivor: Set<String> = []
        var merged: Set<String> = []
    }

    /// What makes the row itself; no choice concerns it.
    static let own: Set<String> = ["id", "version", "version_floor", "created_at", "updated_at"]
    private static let consents = "consents"
    private static let shown = "public_directory"

    /// What to write into the survivor's row: only what differs from it.
    ///
    /// - Parameters:
    ///   - survivor: its row, by the names of columns; NULLs are there as `null`.
    ///   - merged: the other's.
    ///   - choices: by the names of fields as the API has them.
    ///   - guessed: the purposes of agreements of which nobody knows when they were given, of either record.
    /// - Throws: 422 for a choice of what is no field, or of two sides for what belongs together.
    static func changes(
        of survivor: Image, with merged: Image, choices: [String: Side], guessed: Guessed = Guessed()
    ) throws -> Image {
        let columns = Set(survivor.keys).subtracting(own)
        var sides: [Set<String>: Side] = [:]
        for (field, side) in choices.sorted(by: { $0.key < $1.key }) {
            let column = column(of: field)
            guard columns.contains(column), column != consents else {
                throw Problem.invalid("/choices/\(pointer(field))", "is not a field that can be chosen")
            }
            let group = group(of: column)
            guard sides[group] == nil || sides[group] == side else {
                throw Problem.invalid(
                    "/choices/\(pointer(field))", "must be from the same record as what belongs together with it")
            }
            sides[group] = side
        }
        var changes: Image = [:]
        for group in Set(columns.map(group)) {
            let wanted = values(of: group, survivor, merged, side: sides[group], guessed)
            for (column, value) in wanted where survivor[column] != value { changes[column] = value }
        }
        return changes
    }

    private static func values(
        of group: Set<String>, _ survivor: Image, _ merged: Image, side: Side?, _ guessed: Guessed
    ) -> Image {
        // Both addresses are kept: the choice says which of them is the first.
        for names in [emails, telephones] where group == Set(names) && survivor[names[1]] != nil {
            let (own, other) = (values(names, survivor), values(names, merged))
            return together(names, side == .merged ? other + own : own + other)
        }
        switch side {
        case .survivor: return [:]
        case .merged: return merged.filter { group.contains($0.key) }
        case nil: break
        }
        if group == [consents] {
            return [consents: latest(survivor[consents] ?? .null, merged[consents] ?? .null, guessed)]
        }
        if group == enrolment { return joined(survivor, merged) }
        // Whoever declined to be shown is shown by no merge.
        if group == [shown] { return merged[shown] == .bool(false) ? [shown: .bool(false)] : [:] }
        if group == [mailboxes] { return [mailboxes: byRole(survivor[mailboxes], merged[mailboxes])] }
        if group.count == 1, let column = group.first, case .array(let own)? = survivor[column],
            case .array(let more)? = merged[column]
        {
            return [column: .array(own + more.filter { !own.contains($0) })]
        }
        // Empty ones are filled, unless what is there says something else.
        let agree = group.allSatisfy { column in
            let (own, other) = (survivor[column] ?? .null, merged[column] ?? .null)
            return own == .null || other == .null || own == other
        }
        guard agree else { return [:] }
        return merged.filter { group.contains($0.key) && $0.value != .null }
    }

    /// The first value of a record and its further ones.
    private static func values(_ names: [String], _ image: Image) -> [JSONValue] {
        guard case .array(let others)? = image[names[1]] else { return [] }
        let first = image[names[0]] ?? .null
        return (first == .null ? [] : [first]) + others
    }

    /// The same as columns, each value once, as many as there may be.
    private static func together(_ names: [String], _ values: [JSONValue]) -> Image {
        var known: Set<ByteKey> = []
        let each = values.filter { known.insert(key($0)).inserted }
        return [names[0]: each.first ?? .null, names[1]: .array(Array(each.dropFirst().prefix(further)))]
    }

    /// What two spellings of one address have in common.
    private static func key(_ value: JSONValue) -> ByteKey { ByteKey(value.string?.asciiLowercased ?? "") }

    /// The survivor's mailboxes, and the other's for roles that it has none for; by role, as they are kept.
    private static func byRole(_ own: JSONValue?, _ other: JSONValue?) -> JSONValue {
        guard case .array(let mine)? = own, case .array(let more)? = other else { return own ?? .array([]) }
        let missing = more.filter { box in !mine.contains { $0["role"] == box["role"] } }
        guard !missing.isEmpty else { return .array(mine) }
        return .array((mine + missing).sorted { ($0["role"]?.string ?? "") < ($1["role"]?.string ?? "") })
    }

    /// For each purpose the answer that was given last: a withdrawal is not lost in a merge. Of two that were given at one time, as an
    /// import writes them, the order is unknown: the no counts. It is as unknown of a yes of a file that does not say its day.
    private static func latest(_ own: JSONValue, _ other: JSONValue, _ guessed: Guessed) -> JSONValue {
        guard case .object(var answers) = own, case .object(let others) = other else { return own }
        for (purpose, answer) in others {
            guard let mine = answers[purpose] else {
                answers[purpose] = answer
                continue
            }
            let (declined, hadDeclined) = (answer["agreed"] == .bool(false), mine["agreed"] == .bool(false))
            let (theirs, own) = (time(of: answer), time(of: mine))
            let counts =
                if declined, guessed.survivor.contains(purpose) {
                    true
                } else if hadDeclined, guessed.merged.contains(purpose) {
                    false
                } else {
                    theirs > own || theirs == own && declined
                }
            if counts { answers[purpose] = answer }
        }
        return .object(answers)
    }

    /// Who is enrolled by either record is enrolled, since the first day of both; what was confirmed last counts.
    private static func joined(_ own: Image, _ other: Image) -> Image {
        let left = [own["left_on"], other["left_on"]].compactMap { $0?.string }
        let enrolled = [own["enrolled_on"], other["enrolled_on"]].compactMap { $0?.string }
        let (confirmed, otherConfirmed) = (own["confirmed_at"] ?? .null, other["confirmed_at"] ?? .null)
        return [
            "left_on": left.count == 2 ? left.max().map(JSONValue.string) ?? .null : .null,
            "enrolled_on": enrolled.min().map(JSONValue.string) ?? .null,
            "confirmed_at": time(otherConfirmed) > time(confirmed) ? otherConfirmed : confirmed,
        ]
    }

    private static func time(of answer: JSONValue) -> Int64 { time(answer["at"] ?? .null) }

    private static func time(_ value: JSONValue) -> Int64 {
        value.string.flatMap { try? Timestamp(validating: $0) }?.microseconds ?? 0
    }

    /// What was changed between two images, with its last values, by the names of fields.
    static func edits(from before: Image, to after: Image) -> [String: JSONValue] {
        var edits: [String: JSONValue] = [:]
        for (column, value) in after where !own.contains(column) && before[column] != value {
            edits[field(of: column)] = value
        }
        return edits
    }

    /// What an undo writes into the survivor's row after it has come back: what was said of it since the merge.
    ///
    /// - Parameters:
    ///   - images: the rows of the merge.
    ///   - now: the survivor's row before the undo.
    static func kept(_ images: MergeStore.Images, now: Image) -> Image {
        let (before, after) = (images.before, images.after)
        var kept: Image = [:]
        for group in personal where group.contains(where: { now[$0] != after[$0] }) {
            for column in group where now[column] != before[column] { kept[column] = now[column] }
        }
        // The merged record has its addresses back.
        let returned = Set(values(emails, images.merged).map(key) + [key(images.merged["email"] ?? .null)])
        if let email = kept["email"], email != .null, returned.contains(key(email)) { kept["email"] = nil }
        if case .array(let others)? = kept["other_emails"] {
            let first = key(kept["email"] ?? before["email"] ?? .null)
            let own = JSONValue.array(others.filter { !returned.contains(key($0)) && key($0) != first })
            kept["other_emails"] = own == before["other_emails"] ? nil : own
        }
        let answers = answers(from: after, to: now)
        if !answers.isEmpty, case .object(let own)? = before[consents] {
            kept[consents] = .object(own.merging(answers) { $1 })
        }
        return kept
    }

    /// What an undo writes into the merged record's row. Nobody can tell which of both withdrew a consent since: it counts for
    /// both.
    static func withdrawn(_ images: MergeStore.Images, now: Image) -> Image {
        guard case .object(let own)? = images.merged[consents] else { return [:] }
        let withdrawals = answers(from: images.after, to: now).filter { purpose, answer in
            answer["agreed"] == .bool(false) && own[purpose]?["agreed"] == .bool(true)
        }
        return withdrawals.isEmpty ? [:] : [consents: .object(own.merging(withdrawals) { $1 })]
    }

    /// What was answered between two images, by purpose.
    private static func answers(from before: Image, to after: Image) -> Image {
        guard case .object(let old)? = before[consents], case .object(let answers)? = after[consents] else {
            return [:]
        }
        return answers.filter { old[$0.key] != $0.value }
    }

    private static func group(of column: String) -> Set<String> {
        groups.first { $0.contains(column) } ?? [column]
    }

    /// `postalCode` → `postal_code`
    static func column(of field: String) -> String {
        field.reduce(into: "") { result, letter in
            result += letter.isUppercase ? "_\(letter.lowercased())" : String(letter)
        }
    }

    /// `postal_code` → `postalCode`
    static func field(of column: String) -> String {
        let words = column.split(separator: "_")
        return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    /// RFC 6901, 3.
    private static func pointer(_ key: String) -> String {
        key.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
