/// Runs one benchmark, so that valgrind can count its instructions: see `Tests/Benchmarks/micro`.
///
/// Without arguments it prints the names of all benchmarks; with a name and a number it makes so many calls.
@main
enum Microbenchmarks {
    static let all: [Benchmark] = [.router, .jsonReader, .jsonWriter, .rowDecoding, .newToken, .knownToken]

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first else { return all.forEach { print($0.name) } }
        guard let benchmark = all.first(where: { $0.name == name }),
            let count = arguments.dropFirst().first.flatMap({ Int($0) })
        else { throw UnknownBenchmark(name: name) }
        let call = try benchmark.prepare()
        // The first calls fill caches and load what is lazy.
        for _ in 0..<10 { _ = try call() }
        print(try measured(count, call))
    }

    /// The instructions in here are counted, by the function's name.
    ///
    /// - Returns: the sum of what the calls return, so that no call is superfluous.
    @inline(never)
    private static func measured(_ count: Int, _ call: () throws -> Int) rethrows -> Int {
        var sum = 0
        for _ in 0..<count { sum += try call() }
        return sum
    }

    private struct UnknownBenchmark: Error {
        let name: String
    }
}

/// A part of the code whose instructions are counted.
struct Benchmark: Sendable {
    let name: String
    /// Makes what the calls need, and returns the call: the same work each time, whose result is a number.
    let prepare: @Sendable () throws -> () throws -> Int
}
