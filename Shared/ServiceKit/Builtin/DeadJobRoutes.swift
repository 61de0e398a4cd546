import ClubProtocol

/// `/v1/dead-jobs`, in every service that lists `JobAPI.endpoints`.
struct DeadJobRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.read(ListDeadJobs.self) { call in
            try .page(try await DeadJobStore.list(call.page, on: database), call.page, key: "_died", "id")
        }
        builder.routes.write(RetryDeadJob.self) { call, transaction in
            let job = call.path
            try await DeadJobStore.revive(job, in: transaction)
            try await transaction.record(.changed, .job, Line(validating: "\(job)"), by: call.principal)
            return .empty
        }
        builder.routes.write(DeleteDeadJob.self) { call, transaction in
            let job = call.path
            try await DeadJobStore.remove(job, in: transaction)
            try await transaction.record(.deleted, .job, Line(validating: "\(job)"), by: call.principal)
            return .empty
        }
        builder.routes.constraint("job_unique", Problem(.jobAskedAgain))
        // An operator ends the warning: by reviving the jobs or removing them.
        builder.watch(
            "jobs", "dead", gauge: "jobs_dead",
            help: "Jobs without attempts left.",
            output: { "\($0) dead: all their attempts have failed; revive or remove them" },
            count: { try await DeadJobStore.count(on: database) })
    }
}
