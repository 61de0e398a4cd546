import ClubProtocol
import NIOCore
import NIOHTTP1

/// How long a connection has been ready to read the body of its request. Time in which we do not read, because what has
/// arrived is not processed yet, does not count against the client.
struct BodyClock {
    private var spent = TimeAmount.zero
    private var since: NIODeadline?
    /// The beginning of the present stretch; in each stretch some bytes must arrive.
    private(set) var stretch = NIODeadline.uptimeNanoseconds(0)

    /// Continues, with a new stretch.
    mutating func start(at now: NIODeadline = .now()) {
        stretch = now
        if since == nil { since = now }
    }

    mutating func stop(at now: NIODeadline = .now()) {
        if let since { spent = spent + (now - since) }
        since = nil
    }

    func time(at now: NIODeadline = .now()) -> TimeAmount {
        since.map { spent + (now - $0) } ?? spent
    }
}

/// How many pieces a body has arrived in: chunks, and what reads have cut them into. Each costs us as much as a hundred
/// bytes, and in chunks of one byte a body of a mebibyte has a million of them.
struct BodyPieces {
    /// Beyond this many, pieces must have `smallest` bytes on average: no real client sends so many smaller ones.
    private static let few = 1000
    private static let smallest = 8

    private var count = 0
    private var bytes = 0

    mutating func add(_ bytes: Int) {
        count += 1
        self.bytes += bytes
    }

    var areTooSmall: Bool { count > Self.few && bytes < count * Self.smallest }
}

/// Incoming bodies, and what arrives ahead of its request's turn: how long it may take, and how much of it is kept.
extension ConnectionHandler {
    /// The memory of one parsed head besides its bytes.
    private static let headCost = 512

    func take(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        bodyPieces.add(count)
        guard let request else {
            if received > Self.discardable { refuse(.tooLarge(Self.discardable)) }
            return
        }
        if request.head.isChunked, bodyPieces.areTooSmall {
            return refuse(Problem(.malformed, "The body has too many small chunks."))
        }
        switch request.bodyRule {
        case .ignore:
            if received > Self.discardable { refuse(.tooLarge(Self.discardable)) }
        case .collect(let limit):
            guard body.count + count <= limit else { return refuse(.tooLarge(limit)) }
            let reservation = bodyReservation ?? BodyReservation(responder.bodies, for: request.head.client)
            bodyReservation = reservation
            guard reservation.take(count) else { return refuse(.overloaded) }
            // Not the whole Content-Length is reserved: promising bytes costs the client nothing.
            if body.isEmpty { body.reserveCapacity(min(request.head.contentLength ?? count, limit, BodyBudget.small)) }
            body.append(contentsOf: bytes.readableBytesView)
        case .stream(let limit):
            takeUpload(bytes, limit: limit)
        }
    }

    func complete() {
        alarm.cancel()
        phase = .answering
        if upload != nil {
            endUpload()
        } else if let request, task == nil {
            let input = request.bodyRule.input(body)
            start(request, input)
        } else if let page, task == nil {
            start(page)
        }
    }

    func dropBody() {
        body = []
        if upload == nil { bodyReservation = nil }
    }

    // MARK: Time

    /// Waits for more of the body, for as long as the client has left.
    func expectBody() {
        guard !alarm.isSet(.body) else { return }
        bodyClock.start()
        let stall = TimeAmount(limits.bodyStall)
        arm(.body, .nanoseconds(min(stall, max(bodyTimeLeft, .milliseconds(50))).nanoseconds))
    }

    /// Whether the client has sent almost nothing in a whole stretch, or takes too long in total.
    var bodyIsLate: Bool {
        let isStretchOver = .now() - bodyClock.stretch >= TimeAmount(limits.bodyStall)
        return bodyTimeLeft <= .zero || (isStretchOver && receivedInTime < limits.bodyStallBytes)
    }

    private var bodyTimeLeft: TimeAmount {
        TimeAmount(limits.bodyTime(upload == nil ? body.count : uploaded)) - bodyClock.time()
    }

    // MARK: What arrives ahead

    /// Keeps what arrives while another request is answered.
    func park(_ part: HTTPServerRequestPart) {
        guard parkedFault == nil else { return }
        let bytes = Self.cost(of: part)
        guard reserveAhead(bytes) else {
            parkedFault = .overloaded
            return
        }
        parked.append((part, bytes))
    }

    private static func cost(of part: HTTPServerRequestPart) -> Int {
        switch part {
        case .head(let head):
            head.headers.reduce(headCost + head.uri.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        case .body(let bytes): bytes.readableBytes
        case .end: 0
        }
    }

    var hasParkedHead: Bool {
        parked.contains { if case .head = $0.part { true } else { false } }
    }

    func dropParked() {
        parked.removeAll()
        aheadReservation = nil
    }

    /// Waits for the rest of a header, whose beginning the parser keeps.
    func awaitHead() {
        aheadReservation = nil
        guard reserveAhead(received) else { return refuse(.overloaded) }
        arm(.head, limits.headerTimeout)
    }

    private func reserveAhead(_ bytes: Int) -> Bool {
        guard let peer else { return false }
        let reservation = aheadReservation ?? BodyReservation(responder.bodies, for: peer.client)
        aheadReservation = reservation
        return reservation.take(bytes)
    }
}
