import ClubProtocol

/// Event rules that need no database.
extension EventStore.Current {
    /// The event after a merge patch: fields absent from the patch are unchanged, null clears.
    func applying(_ patch: ChangeEvent.Body) -> Self {
        var event = self
        if let title = patch.title { event.title = title }
        if let startsAt = patch.startsAt { event.startsAt = startsAt }
        if let endsAt = patch.endsAt { event.endsAt = endsAt }
        if let venue = patch.venue { event.venue = venue }
        if let theme = patch.theme { event.theme = theme }
        if let description = patch.description { event.description = description }
        if let opens = patch.registrationOpensAt { event.registrationOpensAt = opens }
        if let closes = patch.registrationClosesAt { event.registrationClosesAt = closes }
        return event
    }

    /// Throws 422 naming each invalid time.
    func checkTimes() throws {
        var errors = EventTimes.errors(
            startsAt: startsAt, endsAt: endsAt, registrationOpensAt: registrationOpensAt,
            registrationClosesAt: registrationClosesAt)
        if let firstStart, firstStart < startsAt {
            errors.append(.init("/startsAt", "is after the start of a session"))
        }
        if let lastEnd, lastEnd > endsAt {
            errors.append(.init("/endsAt", "is before the end of a session"))
        }
        guard errors.isEmpty else { throw Problem(.invalid, errors: errors) }
    }
}

enum EventTimes {
    static func errors(
        startsAt: Timestamp, endsAt: Timestamp, registrationOpensAt: Timestamp?, registrationClosesAt: Timestamp?
    ) -> [Problem.Field] {
        var errors: [Problem.Field] = []
        for (pointer, time) in [
            ("/startsAt", startsAt), ("/endsAt", endsAt), ("/registrationOpensAt", registrationOpensAt),
            ("/registrationClosesAt", registrationClosesAt),
        ] {
            if let time, let fault = DayMeaning.meeting.fault(at: time) { errors.append(.init(pointer, fault)) }
        }
        guard errors.isEmpty else { return errors }
        if endsAt <= startsAt {
            errors.append(.init("/endsAt", "is not after startsAt"))
        }
        if let registrationOpensAt, registrationOpensAt >= registrationClosesAt ?? startsAt {
            errors.append(.init("/registrationOpensAt", "is not before registration closes"))
        }
        if let registrationClosesAt, registrationClosesAt > endsAt {
            errors.append(.init("/registrationClosesAt", "is after the event"))
        }
        return errors
    }

    /// Throws 422 naming each time of a session that is not within its event.
    static func checkSession(startsAt: Timestamp, endsAt: Timestamp, within event: EventStore.Current) throws {
        var errors: [Problem.Field] = []
        if startsAt < event.startsAt { errors.append(.init("/startsAt", "is before the event")) }
        if startsAt >= event.endsAt { errors.append(.init("/startsAt", "is after the event")) }
        if endsAt > event.endsAt { errors.append(.init("/endsAt", "is after the event")) }
        if endsAt <= startsAt { errors.append(.init("/endsAt", "is not after startsAt")) }
        guard errors.isEmpty else { throw Problem(.invalid, errors: errors) }
    }
}

extension Event.State {
    /// Held or cancelled: nothing about the event can change.
    var isOver: Bool { self == .held || self == .cancelled }
}
