/// The life cycle of a job.
///
/// ```
///            claimed               effect committed
///  queued ────────────▶ running ─────────────────────▶ done   (its row is gone)
///    ▲  ▲               │ ▲   │ │
///    │  └── retried ────┘ └───┘ └── discarded, or out of attempts ▶ dead
///    │       (back-off)   lease expired:                            │
///    │                    claimed by another                        │
///    └──────────────────────── revived by an operator ◀─────────────┘
/// ```
///
/// A dead job is kept until an operator revives or removes it; that of a schedule, until its next run is due.
enum JobState: String, CaseIterable, Sendable {
    /// Waits for its time, or for a free worker.
    case queued
    /// A worker holds its lease.
    case running
    /// Finished, without a row: its effects are recorded where they happened.
    case done
    /// Not attempted again unless an operator revives it; kept to be seen.
    case dead

    /// Whether a job may go from this state to that one; being claimed again under a new lease counts as a transition.
    func allows(_ next: JobState) -> Bool {
        switch (self, next) {
        case (.queued, .running): true
        case (.running, .running): true
        case (.running, .queued): true
        case (.running, .done): true
        case (.running, .dead): true
        case (.dead, .queued): true
        default: false
        }
    }
}
