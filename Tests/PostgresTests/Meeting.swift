/// A barrier where tasks wait for each other. It stays open once all have arrived.
actor Meeting {
    private let expected: Int
    private(set) var arrivals = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(of expected: Int) {
        self.expected = expected
    }

    func arrive() async {
        arrivals += 1
        guard arrivals >= expected else {
            return await withCheckedContinuation { waiting.append($0) }
        }
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
