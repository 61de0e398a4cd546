import ClubProtocol

/// The submitted form of what a reader wants, validated field by field.
struct PreferenceForm {
    /// Meaningful if there are no errors.
    private(set) var preference: ReaderPreference
    let wantsInvitations: Bool
    /// What is wrong, by the name of the field; in French, because people read it.
    private(set) var errors: [String: String] = [:]

    /// The last day that a pause may end on.
    static func lastPause(from today: Day) -> Day { today.adding(days: 365) }

    init(_ body: ChangePreferences.Body, today: Day = .today) {
        // An unticked box is a no.
        wantsInvitations = body.eventInvitations ?? false
        let kinds = IssueItem.Kind.allCases.filter(body.kinds.contains)
        preference = ReaderPreference(
            kinds: kinds.count == IssueItem.Kind.allCases.count ? nil : kinds, rhythm: body.rhythm ?? .everyIssue)
        if kinds.isEmpty {
            errors["kinds"] =
                "Choisissez au moins une sorte d’information. Pour ne plus rien recevoir, utilisez le bouton au bas de la page."
        }
        let text = String((body.pausedUntil ?? "").trimmingBlanks)
        guard !text.isEmpty else { return }
        guard let day = try? Day(validating: text) else {
            errors["pausedUntil"] = "Cette date n’est pas valide. Exemple\u{A0}: \(today.adding(days: 60))"
            return
        }
        if day <= today {
            errors["pausedUntil"] = "Choisissez un jour à venir."
        } else if day > Self.lastPause(from: today) {
            errors["pausedUntil"] = "Choisissez un jour dans l’année qui vient."
        }
        preference.pausedUntil = day
    }

    /// The invitations cannot be had back by the link.
    mutating func refuseInvitations() {
        errors["eventInvitations"] =
            "Vous avez quitté les invitations il y a plus de trente jours. Pour les recevoir de nouveau, écrivez au Club."
    }
}
