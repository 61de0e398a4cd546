import ClubProtocol
import ServiceKit

/// A file while it is imported: bytes become records, records rows, rows chunks. Its memory is one chunk.
struct ImportFile<Row: ImportedRow> {
    struct Chunk {
        var header: ImportHeader<Row.Column>
        var rows: [Row] = []
        var rejected: [(row: Int, faults: [ImportRow.Fault])] = []
        var advance: ImportLedger.Advance
    }

    private static var size: Int { 1000 }

    /// As in the file, once it has been read.
    var header: ImportHeader<Row.Column>? { reader?.header }

    private let blank: Row
    private let topics: TopicVocabulary
    private let order: ImportLedger.Order
    private let claim: ImportLedger.Claim
    private let format: ImportFormat
    private var records: RecordReader
    private var reader: ImportReader<Row>?
    private var count = 0
    private var digest = RowDigest()
    private var rows: [Row] = []
    private var rejected: [(row: Int, faults: [ImportRow.Fault])] = []

    /// - Parameter claim: rows taken by an earlier attempt are skipped.
    init(
        _ format: ImportFormat, of blank: Row, topics: TopicVocabulary, _ order: ImportLedger.Order,
        after claim: ImportLedger.Claim
    ) {
        self.format = format
        records = RecordReader(format)
        self.blank = blank
        self.topics = topics
        self.order = order
        self.claim = claim
    }

    /// Takes the next bytes; returns the chunks completed by them.
    ///
    /// - Throws: 422 if the first line is not a header; 409, or 422 with a key, if it is not the file that an earlier
    ///   attempt began with.
    mutating func take(_ bytes: some Collection<UInt8>) throws -> [Chunk] {
        try accept(records.read(bytes))
    }

    /// Returns what is left when the file has ended.
    ///
    /// - Throws: as above; 422 if it has no header, or no card.
    mutating func finish() throws -> [Chunk] {
        var chunks = try accept(records.finish())
        guard reader != nil else { throw Problem(.invalid, format.nothing) }
        guard count >= claim.rows else { throw order.anotherFile }
        if rows.count + rejected.count > 0 || claim.rows == 0 { chunks.append(try nextChunk()) }
        return chunks
    }

    private mutating func accept(_ records: [CSVReader.Record]) throws -> [Chunk] {
        var chunks: [Chunk] = []
        for record in records {
            try accept(record)
            if rows.count + rejected.count == Self.size { chunks.append(try nextChunk()) }
        }
        return chunks
    }

    private mutating func accept(_ record: CSVReader.Record) throws {
        digest.add(record)
        guard let reader else {
            try begin(record)
            return
        }
        count += 1
        guard count > claim.rows else {
            if count == claim.rows, digest.value != claim.digest { throw order.anotherFile }
            return
        }
        let (row, faults) = reader.read(record, row: count)
        if faults.isEmpty { rows.append(row) } else { rejected.append((count, faults)) }
    }

    private mutating func begin(_ record: CSVReader.Record) throws {
        if let fault = record.fault {
            throw Problem(.invalid, "The first line of the file cannot be read: it \(fault).")
        }
        do throws(HeaderFault) {
            let header: ImportHeader<Row.Column> =
                format == .cards ? ImportHeader(ofCards: []) : try ImportHeader(record.cells)
            reader = ImportReader(format: format, header: header, blank: blank, topics: topics)
        } catch {
            throw Problem(.invalid, error.detail)
        }
    }

    private mutating func nextChunk() throws -> Chunk {
        guard var header = reader?.header else { throw order.anotherFile }
        if format == .cards { header = ImportHeader(ofCards: records.leftOut) }
        let chunk = Chunk(
            header: header, rows: rows, rejected: rejected,
            advance: .init(rows: count, digest: digest.value, unknownColumns: header.unused))
        rows.removeAll(keepingCapacity: true)
        rejected.removeAll(keepingCapacity: true)
        return chunk
    }
}

/// Detects a different file sent by mistake, not by malice: 64-bit FNV-1a over the cells.
struct RowDigest {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    var value: Int { Int(truncatingIfNeeded: state) }

    mutating func add(_ record: CSVReader.Record) {
        for cell in record.cells {
            for byte in cell.utf8 { add(byte) }
            add(0x1F)
        }
        add(0x1E)
    }

    private mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x100_0000_01B3
    }
}
