import ClubProtocol
import HTTPTypes
import Logging
import NIOCore
import Postgres

extension RoutedRequest {
    // What an asynchronous function needs of memory, inlined functions included, is allocated for each request. What
    // ordinary requests do not need, and what needs much, is therefore in functions that are not inlined.

    /// Does the work. An upload has a seat in the waiting room while its body arrives.
    func run(_ input: BodyInput, sink: any ResponseSink) async -> Completion {
        if case .stream = bodyRule { return await takeUpload(input, sink) }
        return await request(input, sink)
    }

    @inline(never)
    private func takeUpload(_ input: BodyInput, _ sink: any ResponseSink) async -> Completion {
        do {
            return try await seated { await request(input, sink) }
        } catch {
            return refused(pipeline.problems.mapping.problem(for: error, deadline: deadline))
        }
    }

    /// Waits for a place, and does the work with the request's identifier, trace and deadline.
    private func request(_ input: BodyInput, _ sink: any ResponseSink) async -> Completion {
        guard await comeIn() else { return refused(.overloaded) }
        defer { goOut() }
        if case .collect(let limit) = bodyRule, input.bytes.count > limit { return refused(.tooLarge(limit)) }
        return await RequestID.$current.withValue(requestID) {
            if deadline != nil || head.traceparent != nil { return await performInContext(input, sink) }
            return await perform(input, sink)
        }
    }

    /// Does the work with the deadline and the trace of its caller.
    @inline(never)
    private func performInContext(_ input: BodyInput, _ sink: any ResponseSink) async -> Completion {
        if let deadline, ContinuousClock.now >= deadline { return refused(Problem(.deadline)) }
        return await PostgresDeadline.$current.withValue(deadline) {
            guard let text = head.traceparent, let trace = TraceContext(traceparent: text) else {
                return await perform(input, sink)
            }
            return await TraceContext.$current.withValue(trace.child()) { await perform(input, sink) }
        }
    }

    /// Runs `body` under the limit on concurrent exports.
    ///
    /// - Throws: 429 while there is no place; errors of `body`.
    func passExportGate<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        try await pipeline.exports.pass(caller, body)
    }

    /// Writes a stream to its end, with a seat in the waiting room for as long as the client reads. For HEAD, as far as
    /// GET would not have sent anything, so that both get the same response (RFC 9110, 9.3.2).
    func write(_ output: LineOutput, _ body: () async throws -> Void) async throws -> Completion {
        do {
            return try await seated {
                try await body()
                return try await output.end()
            }
        } catch {
            if let answer = output.headAlone { return .answer(answer) }
            guard output.hasBegun else { throw error }
            report(brokenBy: error)
            return .broken
        }
    }

    /// Logs why a stream broke off; the client can no longer be told.
    func report(brokenBy error: any Error) {
        pipeline.logger.info("stream broke off", metadata: metadata(error))
        pipeline.log.finished(
            .internalServerError, requestID, route, arrived, subject: principal.actor, method: head.method)
    }

    private func perform(_ input: BodyInput, _ sink: any ResponseSink) async -> Completion {
        do {
            if let callers = pipeline.callers, CallerCheck.concerns(principal) { try await callers.require(principal) }
            let completion = try await route.run(self, input, sink)
            log(completion)
            return completion
        } catch {
            return failed(error)
        }
    }

    @inline(never)
    private func log(_ completion: Completion) {
        switch completion {
        case .answer(let answer):
            pipeline.log.finished(
                answer.status, requestID, route, arrived, subject: principal.actor, method: head.method)
        case .streamed:
            pipeline.log.finished(
                route.operation.success, requestID, route, arrived, subject: principal.actor, method: head.method)
        case .broken: break
        }
    }

    @inline(never)
    private func failed(_ error: any Error) -> Completion {
        let problem = pipeline.problems.mapping.problem(for: error, deadline: deadline)
        if problem.type.status.code == 500 {
            pipeline.logger.error("request failed", metadata: metadata(error))
        } else if problem.type.status.code > 500 {
            pipeline.logger.info("request could not be served", metadata: metadata(error))
        } else if let error = error as? PostgresError, let state = error.sqlState, SQLState.blamesValue(state) {
            // The caller is told that its value was refused; that none of our checks caught it is logged for us.
            pipeline.logger.notice("the database refused a value", metadata: metadata(error))
        }
        return refused(problem)
    }

    @inline(never)
    private func refused(_ problem: Problem) -> Completion {
        pipeline.log.finished(
            problem.type.status, requestID, route, arrived, subject: principal.actor, method: head.method)
        return .answer(
            pipeline.problems.response(
                to: problem, requestID: requestID, route: route, acceptsPages: head.acceptsPages))
    }

    private func metadata(_ error: any Error) -> Logger.Metadata {
        [
            "operation": .string(route.name), "requestID": .string(requestID),
            "error": .string(error.loggable),
        ]
    }
}
