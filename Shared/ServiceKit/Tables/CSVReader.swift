import ClubProtocol

/// Reads the records of a CSV file as its bytes arrive (RFC 4180 and its variants in practice): comma, semicolon, tab
/// or bar, CRLF, LF or CR, line breaks within quotes, blank lines, comments before the headers. Its memory is one
/// record, whatever the size of the file.
///
/// Our own reader because SwiftCSV, like the other CSV packages for Swift, needs the whole file as one `String` first:
/// an import has to run in constant memory, in an encoding that is only known field by field, and to report the row of
/// a quote that is never closed.
package struct CSVReader {
    package struct Record: Equatable {
        /// The cells as text, without their quotes.
        package var cells: [String]
        /// What is wrong with the record as a whole, if anything.
        package var fault: String?
        /// Whether it may have swallowed records after it: a quote is opened, and closed in the wrong place or never.
        package var mayHoldOthers: Bool

        package init(cells: [String], fault: String? = nil, mayHoldOthers: Bool = false) {
            self.cells = cells
            self.fault = fault
            self.mayHoldOthers = mayHoldOthers
        }
    }

    /// The maximum length of a record in bytes.
    package static let limit = 256 << 10

    private enum State {
        case fieldStart
        case plain
        case quoted
        /// After a quote in a quoted field: its end, or the first of an escaped pair.
        case quoteInQuoted
        /// In a record that is too long, until its end.
        case skipping
    }

    private var transcoder = TextTranscoder()
    /// Unknown until the first record is complete.
    private var delimiter: UInt8?
    /// The first record, while the delimiter is unknown.
    private var head: [UInt8] = []
    private var headIsQuoted = false
    private var state = State.fieldStart
    private var field: [UInt8] = []
    private var cells: [String] = []
    private var size = 0
    /// Whether every cell of the record can be processed in time proportional to its length.
    private var isStreamSafe = true
    /// Whether a quoted field ends in the middle of a later line, as at the opening quote of another cell, or is too
    /// long.
    private var isTorn = false
    private var afterCarriageReturn = false

    /// - Parameter delimiter: if the caller knows it, instead of detecting it from the first record.
    package init(delimiter: UInt8? = nil) {
        self.delimiter = delimiter
    }

    /// Takes the next bytes of the file and returns the records completed by them.
    package mutating func read(_ bytes: some Collection<UInt8>) -> [Record] {
        var records: [Record] = []
        accept(transcoder.transcode(bytes), into: &records)
        return records
    }

    /// Returns what is left when the file has ended.
    package mutating func finish() -> [Record] {
        var records: [Record] = []
        accept(transcoder.finish(), into: &records)
        if delimiter == nil {
            if Self.beginsComment(head) { head = [] }
            begin(into: &records)
        }
        switch state {
        case .quoted:
            isTorn = true
            endRecord(fault: nil, into: &records)
        case .skipping: endRecord(fault: "is longer than \(Self.limit >> 10) KiB", into: &records)
        case .fieldStart where cells.isEmpty: break
        default: endRecord(fault: nil, into: &records)
        }
        return records
    }

    private mutating func accept(_ bytes: [UInt8], into records: inout [Record]) {
        guard delimiter == nil else {
            for byte in bytes { step(byte, into: &records) }
            return
        }
        for (index, byte) in bytes.enumerated() {
            head.append(byte)
            let isComment = Self.beginsComment(head)
            if isComment { headIsQuoted = false } else if byte == UInt8(ascii: "\"") { headIsQuoted.toggle() }
            let isEnd = !headIsQuoted && (byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r"))
            let isNothing = isEnd && (isComment || head.count == 1)
            if isNothing { head.removeAll() }
            if (isEnd && !isNothing) || head.count > Self.limit {
                begin(into: &records)
                for byte in bytes[(index + 1)...] { step(byte, into: &records) }
                return
            }
        }
    }

    /// Some tables state their origin before the headers: `% Requête : …` (the Senate's), `# a comment`. A header may
    /// begin with such a character too, but then no space follows it: `#;Nom;SIRET`.
    private static func beginsComment(_ line: [UInt8]) -> Bool {
        line.count > 1 && (line[0] == UInt8(ascii: "%") || line[0] == UInt8(ascii: "#"))
            && (line[1] == UInt8(ascii: " ") || line[1] == UInt8(ascii: "\t"))
    }

    /// Detects the delimiter in the first record, and reads that record.
    private mutating func begin(into records: inout [Record]) {
        var line = head[...]
        // Excel's own first line: `sep=;`
        if line.count <= 7, line.starts(with: "sep=".utf8), let mark = line.dropFirst(4).first {
            delimiter = mark
            line = []
        } else {
            delimiter = Self.delimiter(of: line)
        }
        let bytes = Array(line)
        head = []
        for byte in bytes { step(byte, into: &records) }
    }

    /// The candidate that occurs most often outside quotes; the comma if none does.
    private static func delimiter(of line: ArraySlice<UInt8>) -> UInt8 {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in line {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted { counts[byte, default: 0] += 1 }
        }
        var best = UInt8(ascii: ",")
        for candidate in ";\t|".utf8 where counts[candidate, default: 0] > counts[best, default: 0] { best = candidate }
        return best
    }

    private mutating func step(_ byte: UInt8, into records: inout [Record]) {
        let isLineFeed = byte == UInt8(ascii: "\n")
        let wasCarriageReturn = afterCarriageReturn
        afterCarriageReturn = byte == UInt8(ascii: "\r") && state != .quoted
        if isLineFeed && wasCarriageReturn { return }
        size += 1
        if size > Self.limit && state != .skipping {
            field = []
            // Within quotes a line end means nothing: the rest of the file is the record, and is discarded.
            if state == .quoted || state == .quoteInQuoted { isTorn = true }
            state = state == .quoted ? .quoted : .skipping
            if state == .quoted { cells = [] }
        }
        switch state {
        case .quoted:
            if byte == UInt8(ascii: "\"") { state = .quoteInQuoted } else if size <= Self.limit { field.append(byte) }
        case .quoteInQuoted where byte == UInt8(ascii: "\""):
            field.append(byte)
            state = .quoted
        case .fieldStart where byte == UInt8(ascii: "\""):
            state = .quoted
        case .quoteInQuoted where byte != delimiter && !isLineFeed && byte != UInt8(ascii: "\r"):
            // On one line it is just a style; over several, the opening quote belongs to another cell.
            if field.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) { isTorn = true }
            field.append(byte)
            state = .plain
        default:
            if isLineFeed || byte == UInt8(ascii: "\r") {
                endRecord(fault: size > Self.limit ? "is longer than \(Self.limit >> 10) KiB" : nil, into: &records)
            } else if state != .skipping {
                if byte == delimiter {
                    endField()
                } else {
                    field.append(byte)
                    state = .plain
                }
            }
        }
    }

    private mutating func endField() {
        let cell = TextTranscoder.text(field)
        if !StreamSafe.accepts(cell) { isStreamSafe = false }
        cells.append(cell)
        field.removeAll(keepingCapacity: true)
        state = .fieldStart
    }

    private mutating func endRecord(fault: String?, into records: inout [Record]) {
        endField()
        let torn = isTorn ? "opens a quote and does not close it" : nil
        let record = Record(
            cells: cells, fault: fault ?? torn ?? (isStreamSafe ? nil : StreamSafe.refusal), mayHoldOthers: isTorn)
        cells = []
        size = 0
        isStreamSafe = true
        isTorn = false
        if record.fault != nil || record.cells.contains(where: { !$0.isBlank }) { records.append(record) }
    }
}
