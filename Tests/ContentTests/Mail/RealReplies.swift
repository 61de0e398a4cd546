/// Replies in the words of servers, after the corpus of Sisimai, the postmaster pages and the sources of the servers, with
/// addresses and hosts of documentation. Where none was found for a rule (most of those in French and German, and some
/// without an enhanced code), the reply is composed of the provider's known words and codes.
///
/// Each line: code, stage, class, text; `⏎` separates the lines of a reply, `#` begins a remark.
enum RealReplies {
    static let text = """
        # Taken
        250 text taken 2.0.0 Ok: queued as 4X1Y2Z3k
        250 text taken 2.0.0 OK  1700000000 a1-20020a05600c0a0100b003f0 - gsmtp
        250 text taken OK id=1rABCD-0001xy-2Z
        250 recipient deferred 2.1.5 Ok
        354 data deferred End data with <CR><LF>.<CR><LF>
        # Orange, Wanadoo
        550 recipient addressGone 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]
        550 recipient addressGone 5.1.1 Adresse d'au moins un destinataire invalide. Invalid recipient. OFR004_418 [418]
        552 recipient mailboxFull 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]
        421 greeting slowDown mwinf5c79 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104 [104]
        550 greeting slowDown mwinf5c79 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR_104 [104]
        550 greeting slowDown mwinf5c10 ME Veuillez essayer plus tard. OFR_105 [105]
        550 greeting refusedSender mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues. OFR006_102 Ref http://csi.cloudmark.com/reset-request/?ip=192.0.2.1 [102]
        550 greeting refusedSender mwinf5c10 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR006_103 192.0.2.1 [103]
        421 greeting slowDown mwinf5c10 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR006_103 192.0.2.1 [103]
        421 text slowDown 4.2.0 Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR005_505 [505]
        421 greeting slowDown mwinf5c77 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]
        550 text refusedSender 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]
        501 sender ourFault 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]
        550 sender ourFault 5.7.0 Code d'authentification invalide OFR_305
        421 sender slowDown smtp.orange.fr [192.0.2.1] Emetteur invalide, Veuillez verifier la configuration SPF/DNS de votre nom de domaine. Invalid Sender. SPF check failed
        550 greeting refusedSender opmta1mti22nd1 smtp.orange.fr Adresse IP source bloquée pour réputation
        # La Poste
        550 recipient addressGone 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416
        550 recipient addressGone 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_420
        550 recipient refused 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426
        550 text refusedSender 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN007_510
        550 recipient slowDown 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN001_108
        550 sender refusedSender 5.5.0 SPF: 192.0.2.1 is not allowed to send mail. LPN004_401
        550 sender ourFault 5.5.0 Authentification requise. Authentication Required. LPN105_402
        571 text refusedSender 5.7.1 Message refused, DMARC verification Failed. Message refuse, verification DMARC en echec LPN007_517
        554 recipient refusedSender 5.7.1 <mx.club.example[192.0.2.1]:49309>: Client host rejected: #216 lpn LPN000_630
        550 recipient refusedSender 5.7.1 Service unavailable; client [192.0.2.1] blocked using Spamhaus Les emails envoyes vers la messagerie Laposte.net ont ete bloques par nos services. LPNAAA_101
        # SFR
        421 greeting slowDown 4.7.0 msfrf2604.sfr.fr Error: too many errors
        450 recipient slowDown 4.7.1 <zoe@sfr.example>: Recipient address rejected: Service refused due to bad behavior - SFR_IN_101
        450 recipient slowDown Service refused, please try again later - SFR_IN_104
        550 recipient refusedSender 5.7.1 Service refused due to bad behavior - Too many spam messages SFR_IN_101
        550 recipient slowDown 5.7.1 Service refused - volume SFR_IN_305
        550 text refusedSender 5.7.1 Email 4RH2xT4NwZz1LQKck rejected per SPAM policy
        550 text refusedSender 5.7.1 Message content rejected
        550 recipient addressGone 5.1.1 <zoe@neuf.example>: Recipient address rejected: User unknown in relay recipient table
        # Free
        421 greeting slowDown Too many spams from your IP (192.0.2.1), please visit http://postmaster.free.fr/
        550 recipient addressGone 5.2.1 This mailbox has been blocked due to inactivity
        421 greeting slowDown Too many errors from your ip (192.0.2.1), please visit http://postmaster.free.fr/
        550 text refusedSender spam detected
        550 recipient addressGone 5.1.1 <zoe@free.example>: Recipient address rejected: User unknown in virtual mailbox table
        450 recipient greylisted 4.2.0 <zoe@free.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/free.fr.html
        552 recipient mailboxFull 5.2.2 <zoe@free.example>: Recipient address rejected: Mailbox over quota
        # OVH, Gandi and others in French
        550 recipient addressGone Utilisateur inconnu !
        550 recipient addressGone 5.1.0 <zoe@ovh.example>: Destinataire inconnu
        550 recipient mailboxFull La boîte aux lettres de zoe@ovh.example : boîte pleine
        552 recipient mailboxFull Dépassement de quota
        554 recipient ourFault Relais interdit !
        550 text ourFault Taille maximale du message dépassée
        550 sender ourFault Émetteur invalide
        450 recipient greylisted Liste grise, veuillez réessayer dans 5 minutes
        451 recipient slowDown Trop de messages envoyés, ralentissez
        451 recipient greylisted Problème temporaire, veuillez essayer plus tard
        # Google
        550 recipient addressGone 5.1.1 The email account that you tried to reach does not exist. Please try⏎5.1.1 double-checking the recipient's email address for typos or⏎5.1.1 unnecessary spaces. For more information, go to⏎5.1.1  https://support.google.com/mail/?p=NoSuchUser a1-2002 - gsmtp
        550 recipient addressGone 5.2.1 The email account that you tried to reach is disabled. g0000000000ggg.00 - gsmtp
        550 recipient addressGone 5.2.1 The email account that you tried to reach is inactive. https://support.google.com/mail/?p=DisabledUser
        552 recipient mailboxFull 5.2.2 The recipient's inbox is out of storage space and inactive. Please⏎5.2.2 direct the recipient to⏎5.2.2 https://support.google.com/mail/?p=OverQuotaPerm
        452 recipient mailboxFull 4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp
        450 recipient slowDown 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.
        550 recipient slowDown 5.2.1 The user you are trying to contact is receiving mail at a rate that⏎5.2.1 prevents additional messages from being delivered. https://support.google.com/mail/?p=ReceivingRatePerm
        421 text slowDown 4.7.26 This mail has been rate limited because it is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.
        421 text slowDown 4.7.28 Gmail has detected an unusual rate of mail originating from your IP Netblock 192.0.2.0/24.
        421 text slowDown 4.7.30 Your email has been rate limited because DKIM authentication didn't pass for this message.
        421 text slowDown 4.7.40 Your email has been deferred because the From: header has no DMARC record.
        451 text slowDown 4.7.24 The SPF record of the sending domain has one or more suspicious entries.
        421 text slowDown 4.7.0 This message is suspicious due to the very low reputation of the sending domain.
        421 greeting slowDown 4.7.0 Try again later, closing connection. a1-2002 - gsmtp
        550 text refusedSender 5.7.26 This mail has been blocked because the sender is unauthenticated.⏎5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.
        550 text refusedSender 5.7.26 Unauthenticated email from club.example is not accepted due to domain's⏎5.7.26 DMARC policy.
        550 text refusedSender 5.7.28 There is an unusual rate of unsolicited mail originating from your IP address.
        550 text refusedSender 5.7.1 Our system has detected that this message is likely unsolicited mail.
        550 text refusedSender 5.7.25 The IP address sending this message does not have a PTR record setup
        550 text refusedSender 5.7.1 Messages with multiple⏎5.7.1 addresses in From: header are not accepted.
        552 text refusedSender 5.7.0 This message was blocked because its content presents a potential⏎5.7.0 security issue.
        552 text ourFault 5.3.4 Your message exceeded Google's message size limits.
        552 text ourFault 5.2.3 Your message exceeded Google's message size limits.
        550 recipient slowDown 5.4.5 Daily SMTP relay limit exceeded for customer.
        550 sender ourFault 5.7.1 Invalid credentials for relay [192.0.2.1].
        535 authentication ourFault 5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials
        534 authentication ourFault 5.7.9 Application-specific password required.
        530 sender ourFault 5.7.0 Authentication Required. For more information, go to https://support.google.com/mail/?p=WantAuthError
        530 sender ourFault 5.7.0 Must issue a STARTTLS command first. a1-2002 - gsmtp
        501 hello ourFault 5.5.4 HELO/EHLO argument is invalid.
        503 sender ourFault 5.5.1 Bad sequence of commands.
        553 sender ourFault 5.1.7 The sender address <flash@@club.example> is not a valid RFC 5321 address.
        554 text refused 5.6.0 Mail message is malformed. Not accepted.
        554 text refused 5.4.6 Message exceeded 50 hops, this may indicate a mail loop.
        # Microsoft: Outlook.com, Exchange Online, Exchange
        550 recipient addressGone 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [BL2NAM02FT061.eop-nam02.prod.protection.outlook.com]
        550 recipient addressGone 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient zoe@club.example not found by SMTP address lookup
        550 recipient addressGone 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found
        550 recipient addressGone 5.4.1 [zoe@club.example]: Recipient address rejected: Access denied [BL2NAM02FT061.eop-nam02.prod.protection.outlook.com]
        550 recipient addressGone 5.4.1 All recipient addresses rejected : Access denied [AM3PEPF0000A795.eurprd04.prod.outlook.com]
        550 sender refusedSender 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.
        550 sender refusedSender 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. (S3140)
        550 recipient refusedSender 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/
        550 text refusedSender 5.7.509 Access denied, sending domain club.example does not pass DMARC verification and has a DMARC policy of reject.
        550 text refusedSender 5.7.515 Access denied, sending domain club.example does not meet the required authentication level.
        550 recipient refusedSender 5.7.511 Access denied, banned sender[192.0.2.1].
        550 recipient refusedSender 5.7.23 The message was rejected because of Sender Policy Framework violation
        550 sender refusedSender SC-001 (BAY004-MC1F1) Unfortunately, messages from 192.0.2.1 weren't sent.
        550 sender slowDown 5.7.508 Access denied, [192.0.2.1] has exceeded permitted limits within range
        421 sender slowDown RP-001 (BAY004-MC1F1) Unfortunately, some messages from 192.0.2.1 weren't sent. Please try again. We have limits for how many messages can be sent per hour and per day.
        550 sender slowDown RP-001 The mail server IP connecting to Outlook.com server has exceeded the rate limit allowed.
        451 recipient slowDown 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)
        451 sender slowDown 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.
        451 sender slowDown 4.7.699 Access denied, please try again later
        452 recipient slowDown 4.5.3 Too many recipients
        421 greeting slowDown 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel
        432 text slowDown 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded
        550 recipient slowDown 5.2.121 Recipient's per hour message receive limit from specific sender exceeded
        451 recipient noSuchHost 4.4.4 Mail received as unauthenticated, incoming to a recipient domain configured in a hosted tenant which has no mail-enabled subscriptions. ATTR5
        451 recipient deferred 4.4.62 Mail sent to the wrong Office 365 region.
        550 recipient refused 5.7.1 RESOLVER.RST.AuthRequired; authentication required
        550 recipient refused 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required
        550 recipient refused 5.7.124 Sender not in allowed-senders list
        550 text ourFault 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient
        554 text mailboxFull 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded
        550 recipient ourFault 5.7.64 TenantAttribution; Relay Access Denied
        550 recipient ourFault 5.7.1 Unable to relay
        550 sender ourFault 5.7.60 SMTP; Client does not have permissions to send as this sender
        550 sender ourFault 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM
        # Yahoo, AOL
        421 sender slowDown 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes
        421 sender slowDown 4.16.55 [TS01] Messages from 192.0.2.1 temporarily deferred due to excessive user complaints
        421 greeting slowDown 4.7.0 [IPTS04] Messages from 192.0.2.1 temporarily deferred due to user complaints
        553 sender refusedSender 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.
        553 greeting refusedSender [TSS11] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.
        553 greeting refusedSender 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list
        554 text refusedSender Message not allowed - [PH01] Email not accepted for policy reasons.
        554 text refusedSender 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes
        550 text refusedSender 5.7.9 This mail has been blocked because the sender is unauthenticated.
        554 recipient addressGone delivery error: dd This user doesn't have a yahoo.com account (zoe@yahoo.example) [0]
        554 recipient addressGone 30 Sorry, your message to zoe@aol.example cannot be delivered. This mailbox is disabled (554.30)
        552 text addressGone 1 Requested mail action aborted, mailbox not found
        552 text mailboxFull Requested mail action aborted: exceeded storage allocation
        421 text slowDown Max message per connection reached, closing transmission channel
        450 recipient slowDown User is receiving mail too quickly
        # Apple
        550 recipient addressGone 5.1.6 recipient no longer on server: zoe@icloud.example
        550 recipient addressGone 5.1.1 <zoe@icloud.example>: inactive email address
        550 recipient addressGone 5.1.1 unknown or illegal alias: zoe@icloud.example
        552 recipient mailboxFull 5.2.2 <zoe@icloud.example>: user is over quota
        550 text refusedSender 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137
        554 text refusedSender [CS01] Message rejected. Please visit https://support.apple.com/en-us/HT204137
        554 text refusedSender 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137
        554 text refusedSender 5.7.1 [HME1] This message was blocked for failing both SPF and DKIM authentication checks.
        554 greeting refusedSender p00-iscream-smtpin001.me.com ESMTP not accepting connections
        421 recipient slowDown 4.7.1 Messages to zoe@icloud.example deferred due to excessive volume. Try again later
        450 recipient deferred 4.1.8 <flash@club.example>: Sender address rejected: Domain not found
        # Postfix
        450 recipient greylisted 4.2.0 <zoe@club.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/club.example.html
        450 recipient greylisted 4.7.1 <zoe@club.example>: Recipient address rejected: Greylisting in action, please come back later
        450 recipient greylisted 4.2.0 <zoe@club.example>: Recipient address rejected: Temporary failure
        451 recipient greylisted Temporary local problem - please try again later
        450 recipient deferred 4.1.1 <zoe@club.example>: Recipient address rejected: User unknown in virtual alias table
        450 recipient deferred 4.1.1 <zoe@club.example>: Recipient address rejected: unverified address: timed out
        451 recipient deferred 4.3.0 <zoe@club.example>: Temporary lookup failure
        452 data deferred 4.3.1 Insufficient system storage
        452 recipient mailboxFull 4.2.2 <zoe@club.example>: Recipient address rejected: Mailbox full
        552 recipient mailboxFull 5.2.2 <zoe@club.example>: Recipient address rejected: quota exceeded
        552 sender ourFault 5.3.4 Message size exceeds fixed limit
        554 recipient ourFault 5.7.1 <zoe@club.example>: Relay access denied
        454 recipient ourFault 4.7.1 <zoe@club.example>: Relay access denied
        550 recipient addressGone 5.1.1 <zoe@club.example>: Recipient address rejected: User unknown in local recipient table
        550 recipient addressGone 5.1.0 <zoe@club.example>: Recipient address rejected: User unknown in virtual mailbox table
        554 recipient addressGone 5.7.1 <zoe@club.example>: Recipient address rejected: user unknown
        554 recipient refusedSender 5.7.1 <zoe@club.example>: Recipient address rejected: Access denied
        554 recipient refusedSender 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1
        554 recipient refusedSender 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.spamcop.net
        554 recipient refusedSender 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using b.barracudacentral.org
        550 recipient refusedSender 5.1.1 Service unavailable; client [192.0.2.1] listed at zen; blocked using zen.spamhaus.org
        554 recipient refusedSender 5.7.1 <flash@club.example>: Sender address rejected: Access denied
        550 recipient ourFault 5.1.0 <flash@club.example>: Sender address rejected: User unknown in virtual mailbox table
        553 recipient ourFault 5.1.8 <flash@club.example>: Sender address rejected: Domain not found
        504 recipient ourFault 5.5.2 <club>: Helo command rejected: need fully-qualified hostname
        450 recipient slowDown 4.7.1 <mx.club.example>: Helo command rejected: Host not found
        450 recipient slowDown Client host rejected: cannot find your hostname, [192.0.2.1]
        550 recipient refusedSender 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]
        501 recipient addressGone 5.1.3 Bad recipient address syntax
        501 sender ourFault 5.1.7 Bad sender address syntax
        502 sender ourFault 5.5.2 Error: command not recognized
        421 recipient slowDown 4.7.0 mx.club.example Error: too many errors
        421 greeting slowDown 4.7.0 mx.club.example Error: too many connections from 192.0.2.1
        450 sender slowDown 4.7.1 Error: too much mail from 192.0.2.1
        550 recipient noSuchHost 5.1.2 <zoe@club.example>: Recipient address rejected: Domain not found
        550 recipient noSuchHost Host or domain name not found. Name service error for name=club.example type=AAAA
        556 recipient addressGone 5.1.10 <zoe@club.example>: Recipient address rejected: Domain club.example does not accept mail (nullMX)
        # Exim
        550 recipient addressGone No Such User Here
        550 recipient noSuchHost Unrouteable address
        550 recipient ourFault Sender verify failed
        451 sender deferred Sender verify temporarily failed: DNS timeout
        550 recipient ourFault relay not permitted
        552 sender ourFault Message size exceeds maximum permitted
        552 sender ourFault Denied
        552 recipient mailboxFull Mailbox quota
        451 recipient greylisted Greylisted - please try again in a little while
        550 recipient greylisted Greylisted for 5 minutes
        550 text refusedSender This message was classified as spam and may not be delivered
        550 text refusedSender The mail server detected your message as spam and has prevented delivery.
        550 recipient refusedSender "JunkMail rejected - mx.club.example [192.0.2.1]:1234 is in an RBL: https://www.spamhaus.org/query/ip/192.0.2.1"
        # Sendmail, qmail, Courier, Domino, IronPort, Zimbra
        550 recipient addressGone 5.1.1 <zoe@club.example>... User Unknown
        550 recipient addressGone 5.2.1 <zoe@club.example>... User Unknown
        550 recipient ourFault 5.7.1 <zoe@club.example>... Relaying denied
        553 sender ourFault 5.1.8 <httpd@host.club.example>... Domain of sender address httpd@host.club.example does not exist
        553 sender ourFault Not a mailbox that we send for
        550 sender ourFault 5.1.1 <flash@club.example>... User unknown
        452 sender slowDown 4.3.2 Connection rate limit exceeded.
        450 recipient slowDown 4.7.1 Access denied. IP name lookup failed [192.0.2.222]
        550 recipient noSuchHost 5.1.2 <zoe@club.example>... Host unknown (Name server: host not found)
        553 recipient ourFault sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
        550 recipient addressGone sorry, no mailbox here by that name. (#5.1.1)
        550 recipient addressGone #5.1.0 Address rejected.
        554 greeting refusedSender mx.club.example Your access to this mail system has been rejected due to the sending MTA's poor reputation.
        554 greeting refusedSender mx.club.example
        550 recipient addressGone zoe@club.example... User not listed in Domino Directory
        550 recipient mailboxFull <zoe@club.example> mailbox full
        554 startTLS ourFault TLS not available
        454 startTLS slowDown 4.7.0 TLS not available due to local problem
        550 data ourFault 5.5.1 Protocol error
        # German providers
        550 recipient addressGone Empfaenger unbekannt
        550 recipient addressGone 5.0.0 <zoe@t-online.example> Unbekannter Benutzer
        550 recipient mailboxFull Postfach ist voll
        554 greeting refusedSender None/bad reputation. Ask your postmaster for help or to contact tobr@rx.t-online.example
        550 recipient refusedSender Requested action not taken: mailbox unavailable⏎invalid DNS MX or A/AAAA resource record
        550 recipient addressGone Requested action not taken: mailbox unavailable
        550 recipient slowDown Zu viele Verbindungen
        # No more than a code
        550 recipient refused
        551 recipient refused User not local
        553 recipient refused Requested action not taken
        554 recipient refused Transaction failed
        550 recipient slowDown 5.0.0 Please try again later
        450 recipient deferred Requested mail action not taken: mailbox unavailable
        451 recipient deferred Requested action aborted: local error in processing
        421 text slowDown Service not available, closing transmission channel
        """
}
