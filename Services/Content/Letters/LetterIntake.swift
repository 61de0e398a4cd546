import ClubProtocol
import Postgres
import ServiceKit

/// Takes the letters of a request, one or many, with the same few statements.
struct LetterIntake {
    enum Answer {
        case added(Letter)
        /// Its key was used before.
        case known(Letter)
        case refused(Problem)
    }

    /// A letter as requested.
    struct Request {
        var body: SendLetter.Body
        /// Where it is in the document.
        var pointer = ""
    }

    let principal: Principal
    let transaction: PostgresTransaction

    /// - Returns: an answer for each, in the same order.
    func take(_ requests: [Request]) async throws -> [Answer] {
        let erased = try await ErasedReaders.among(requests.compactMap(\.body.reader?.id), in: transaction)
        let known = try await letters(with: requests.map(\.body.key))
        var answers = requests.map { request -> Answer? in
            if let reader = request.body.reader?.id, erased.contains(reader) {
                return .refused(Problem(.erased, "The recipient of this letter was erased."))
            }
            if let letter = known[ByteKey(request.body.key.text)] { return Self.known(letter, request.body) }
            return LetterRules.fault(of: request.body, at: request.pointer).map(Answer.refused)
        }
        let open = answers.indices.filter { answers[$0] == nil }
        guard !open.isEmpty else { return answers.compactMap { $0 } }
        let added = try await add(open.map { requests[$0].body })
        let present = try await letters(with: open.map { requests[$0].body.key })
        var fresh: [Letter] = []
        for (index, id) in zip(open, added) {
            let body = requests[index].body
            // Nil only if it was erased within this moment.
            guard let letter = present[ByteKey(body.key.text)] else { continue }
            answers[index] = letter.id == id ? .added(letter) : Self.known(letter, body)
            if letter.id == id { fresh.append(letter) }
        }
        try await transaction.record(
            fresh.map { .init(.created, .letter, $0.id, values: $0) }, by: principal)
        if !fresh.isEmpty { try await OutgoingMailStore.notify(in: transaction) }
        return answers.map { $0 ?? Answer.refused(Problem(.erased)) }
    }

    /// - Returns: the identifiers that they have if they were added.
    private func add(_ bodies: [SendLetter.Body]) async throws -> [Letter.ID] {
        try await SuppressionStore.lift(
            bodies.compactMap { body in
                body.consent.map {
                    .init(
                        email: body.email, purpose: Suppression.Purpose($0), agreedAt: body.agreedAt,
                        subject: body.reader)
                }
            }, in: transaction)
        let lanes = try await LaneAssignment.known(Set(bodies.map(\.email.domain)), in: transaction)
        let letters = bodies.map { LetterStore.New(body: $0, lane: lanes[$0.email.domain] ?? LaneName.other) }
        try await LetterStore.add(letters, in: transaction)
        return letters.map(\.id)
    }

    private func letters(with keys: [Line]) async throws -> [ByteKey: Letter] {
        let found = try await LetterStore.get(keys: keys, on: transaction)
        return Dictionary(found.map { (ByteKey($0.key.text), $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func known(_ letter: Letter, _ body: SendLetter.Body) -> Answer {
        letter.email.text.asciiLowercased.hasSameBytes(as: body.email.text.asciiLowercased)
            ? .known(letter) : .refused(Problem(.letterKeyUsed))
    }
}

/// What a new letter must fulfil beyond its types.
enum LetterRules {
    /// - Parameter pointer: of the letter in the document.
    /// - Returns: 422 naming each field; nil if nothing is wrong.
    static func fault(of body: SendLetter.Body, at pointer: String, now: Timestamp = .now) -> Problem? {
        let faults = times(body, now) + consent(body, now) + files(body.attachments ?? [])
        guard !faults.isEmpty else { return nil }
        return Problem(.invalid, errors: faults.map { .init(pointer + $0.pointer, $0.detail) })
    }

    private static func times(_ body: SendLetter.Body, _ now: Timestamp) -> [Problem.Field] {
        var faults: [Problem.Field] = []
        if let time = body.notBefore, let fault = DayMeaning.embargo.fault(at: time) {
            faults.append(.init("/notBefore", fault))
        }
        guard let end = body.expiresAt else { return faults }
        if let fault = DayMeaning.end.fault(at: end) {
            faults.append(.init("/expiresAt", fault))
        } else if end <= now {
            faults.append(.init("/expiresAt", "is not in the future"))
        } else if let start = body.notBefore, end <= start {
            faults.append(.init("/expiresAt", "is not after notBefore"))
        }
        return faults
    }

    private static func consent(_ body: SendLetter.Body, _ now: Timestamp) -> [Problem.Field] {
        guard let time = body.agreedAt else { return [] }
        if body.consent == nil { return [.init("/agreedAt", "needs a consent")] }
        if let fault = DayMeaning.consent.fault(at: time) { return [.init("/agreedAt", fault)] }
        return time > now ? [.init("/agreedAt", "is in the future")] : []
    }

    private static func files(_ files: [LetterAttachment]) -> [Problem.Field] {
        var faults: [Problem.Field] = []
        for (index, file) in files.enumerated() {
            let pointer = "/attachments/\(index)"
            if (file.type == .calendar) != (file.method != nil) {
                faults.append(.init("\(pointer)/method", "is needed with text/calendar, and only then"))
            }
            if !file.type.begins(file.content.bytes) {
                faults.append(.init("\(pointer)/content", "is not \(file.type.rawValue)"))
            }
            if FileName(file.fileName.text).text.isBlank {
                faults.append(.init("\(pointer)/fileName", "is not the name of a file"))
            }
        }
        if files.reduce(0, { $0 + $1.content.bytes.count }) > LetterAttachment.mostBytes {
            faults.append(.init("/attachments", "are more than \(LetterAttachment.mostBytes) bytes together"))
        }
        return faults
    }
}
