import ClubProtocol
import ServiceKit

/// Which of two records' values the survivor of a merge gets.
enum MergeRules {
    typealias Image = [String: JSONValue]
    typealias Side = MergeRecords.Body.Side

    /// Columns that are only meaningful together: a value of one record with a value of the other would state something
    /// that neither did.
    static let groups: [Set<String>] = [
        ["kind", "sub_kind"], ["siren", "siret"], ["postal_code", "commune", "departement"], enrolment,
        Set(emails), Set(telephones),
    ]
    /// The first, and the additional ones; experts and organizations have no additional ones.
    private static let emails = ["email", "other_emails"]
    private static let telephones = ["telephone", "other_telephones"]
    /// The maximum number of additional ones a person has.
    private static let further = 10
    private static let mailboxes = "mailboxes"
    private static let enrolment: Set<String> = ["enrolled_on", "left_on", "confirmed_at"]
    /// What people say about themselves, by a link or an answer: if given after a merge, the undo keeps it.
    private static let personal: [Set<String>] = [Set(emails), enrolment]
    /// By purpose: whether a record agrees without a known date.
    struct Guessed {
        var survivor: Set<String> = []
        var merged: Set<String> = []
    }

    /// Columns of the row itself, and what follows from an address; no choice concerns them.
    static let own: Set<String> = ["id", "version", "version_floor", "created_at", "updated_at", "unreachable"]
    private static let consents = "consents"
    private static let shown = "public_directory"

    /// What to write into the survivor's row: only the differences.
    ///
    /// - Parameters:
    ///   - survivor: its row, by column name; NULLs are present as `null`.
    ///   - merged: the other's row.
    ///   - choices: by field name as in the API.
    ///   - guessed: the purposes of agreements without a known date, of either record.
    /// - Throws: 422 for a choice of an unknown field, or of different sides for columns that belong together.
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
        // Both addresses are kept: the choice decides which of them is the first.
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
        // No merge makes visible anyone who declined to be shown.
        if group == [shown] { return merged[shown] == .bool(false) ? [shown: .bool(false)] : [:] }
        if group == [mailboxes] { return [mailboxes: byRole(survivor[mailboxes], merged[mailboxes])] }
        if group.count == 1, let column = group.first, case .array(let own)? = survivor[column],
            case .array(let more)? = merged[column]
        {
            return [column: .array(own + more.filter { !own.contains($0) })]
        }
        // Empty ones are filled, unless an existing value differs.
        let agree = group.allSatisfy { column in
            let (own, other) = (survivor[column] ?? .null, merged[column] ?? .null)
            return own == .null || other == .null || own == other
        }
        guard agree else { return [:] }
        return merged.filter { group.contains($0.key) && $0.value != .null }
    }

    /// The first value of a record and its additional ones.
    private static func values(_ names: [String], _ image: Image) -> [JSONValue] {
        guard case .array(let others)? = image[names[1]] else { return [] }
        let first = image[names[0]] ?? .null
        return (first == .null ? [] : [first]) + others
    }

    /// The values as columns again, each once, up to the maximum.
    private static func together(_ names: [String], _ values: [JSONValue]) -> Image {
        var known: Set<ByteKey> = []
        let each = values.filter { known.insert(key($0)).inserted }
        return [names[0]: each.first ?? .null, names[1]: .array(Array(each.dropFirst().prefix(further)))]
    }

    /// A key that is equal for two spellings of one address.
    private static func key(_ value: JSONValue) -> ByteKey { ByteKey(value.string?.asciiLowercased ?? "") }

    /// The survivor's mailboxes, and the other's for roles that it has none for; by role, in the stored form.
    private static func byRole(_ own: JSONValue?, _ other: JSONValue?) -> JSONValue {
        guard case .array(let mine)? = own, case .array(let more)? = other else { return own ?? .array([]) }
        let missing = more.filter { box in !mine.contains { $0["role"] == box["role"] } }
        guard !missing.isEmpty else { return .array(mine) }
        return .array((mine + missing).sorted { ($0["role"]?.string ?? "") < ($1["role"]?.string ?? "") })
    }

    /// For each purpose the latest answer: a withdrawal is not lost in a merge. If both have the same time, as after an
    /// import, the order is unknown and the no prevails. The order is equally unknown for a yes from a file without a
    /// date.
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

    /// A person enrolled by either record is enrolled, since the earlier day; the latest confirmation counts.
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

    /// The changes between two images, with the last values, by field name.
    static func edits(from before: Image, to after: Image) -> [String: JSONValue] {
        var edits: [String: JSONValue] = [:]
        for (column, value) in after where !own.contains(column) && before[column] != value {
            edits[field(of: column)] = value
        }
        return edits
    }

    /// What an undo writes into the survivor's restored row: what people said about themselves since the merge.
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
        // The merged record gets its addresses back.
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

    /// What an undo writes into the merged record's row. It is unknown which of the two withdrew a consent since: it
    /// counts for both.
    static func withdrawn(_ images: MergeStore.Images, now: Image) -> Image {
        guard case .object(let own)? = images.merged[consents] else { return [:] }
        let withdrawals = answers(from: images.after, to: now).filter { purpose, answer in
            answer["agreed"] == .bool(false) && own[purpose]?["agreed"] == .bool(true)
        }
        return withdrawals.isEmpty ? [:] : [consents: .object(own.merging(withdrawals) { $1 })]
    }

    /// The answers given between two images, by purpose.
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

    /// RFC 6901, section 3.
    private static func pointer(_ key: String) -> String {
        key.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
