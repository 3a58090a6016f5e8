import Model

extension Traefik {
  /// The first two numbers of a version. The second one is nil where it cannot be told.
  struct Version: Sendable, Equatable {
    let major: Int
    var minor: Int?

    /// `v3.7.15`, `2.11`, `v3`; nil for what names no version.
    init?(_ text: some StringProtocol) {
      let numbers = (text.first == "v" ? text.dropFirst() : text[...]).split(separator: ".")
      guard let major = numbers.first.flatMap({ Int($0) }), (1..<100).contains(major) else { return nil }
      self.init(major: major, minor: numbers.dropFirst().first.flatMap { Int($0.prefix { $0.isNumber }) })
    }

    init(major: Int, minor: Int? = nil) { (self.major, self.minor) = (major, minor) }

    /// True from this version on; nil where its second number would have to be known.
    func isAtLeast(_ major: Int, _ minor: Int) -> Bool? {
      guard self.major == major else { return self.major > major }
      return self.minor.map { $0 >= minor }
    }
  }

  /// What Traefik decodes from files and labels: for one name that it does not know, one value that it cannot take, it drops
  /// all files, or the container.
  ///
  /// Source: the structures of Traefik's `pkg/config/dynamic` and `pkg/tls` in versions 2.0 to 3.7, and how `traefik/paerser`
  /// fills them. 3.7.15 takes all of these fields.
  struct Fields: Sendable {
    /// What is wrong with a setting.
    struct Mistake: Sendable {
      let reason: String
      /// The setting.
      var settings: Settings?
      /// The label, where its name alone is wrong.
      var label: String?
      /// The name as it is written, and the one that was probably meant.
      var name: String?
      var meant: String?
      /// False where a version that is not known here may take it.
      var isCertain = true
    }

    fileprivate enum Kind: Sendable {
      case text, bool, integer, duration, anything
      case texts
      case structure(String)
      case structures(String)
      case entries(String?)
    }

    fileprivate struct Field: Sendable {
      let name: String
      /// The same without capitals.
      let key: String
      /// The name by which labels know a list that has one member there.
      let alias: String?
      let kind: Kind
      /// True if it may stand alone: `compress`, `tls`.
      let mayBeEmpty: Bool
      /// Its value counts in neither labels nor files, as `l` and `f` say.
      let ignoredIn: Substring
      let since: (Int, Int)
      let until: (Int, Int)
    }

    fileprivate let types: [String: [Field]]

    static let all = Fields()

    /// A type in each line: its fields, each as `name/alias:type?!ignored@since-until`. `?`: it may stand alone.
    private static let table = """
      Configuration http:http tcp:tcp tls:tls udp:udp@2.2
      Labels enable:bool docker:DockerLabels http:http tcp:tcp tls:tls@2.11 udp:udp@2.2
      DockerLabels network lbSwarm:bool allowNonRunning:bool@3.6
      http routers:{Router} middlewares:{Middleware} services:{Service} models:{Model}@2.2
        serversTransports:{ServersTransport}!l@2.4
      tcp routers:{TCPRouter} services:{TCPService} middlewares:{TCPMiddleware}@2.5 models:any@3.0
        serversTransports:{TCPServersTransport}!l@3.0
      tls certificates:[CertAndStores]!l options:{Options}!l stores:{Store}
      udp routers:{UDPRouter} services:{UDPService}
      Router entryPoints:[] middlewares:[] service rule priority:int tls:RouterTLSConfig? defaultRule:any@2.10
        deniedEncodedPathCharacters:any@2.11 ruleSyntax@3.0 observability:RouterObservabilityConfig@3.3
        parentRefs:[]!l@3.6
      Middleware addPrefix:AddPrefix stripPrefix:StripPrefix stripPrefixRegex:StripPrefixRegex
        replacePath:ReplacePath replacePathRegex:ReplacePathRegex chain:Chain ipWhiteList:IPWhiteList
        headers:Headers errors:ErrorPage rateLimit:RateLimit redirectRegex:RedirectRegex
        redirectScheme:RedirectScheme basicAuth:BasicAuth digestAuth:DigestAuth forwardAuth:ForwardAuth
        inFlightReq:InFlightReq buffering:Buffering circuitBreaker:CircuitBreaker compress:Compress?
        passTLSClientCert:PassTLSClientCert retry:Retry contentType:ContentType?@2.1 plugin:{any}@2.3
        ipAllowList:IPAllowList@2.11 grpcWeb:GrpcWeb@3.0 requestHeaderModifier:any@3.0 requestRedirect:any@3.1
        urlRewrite:any@3.1 responseHeaderModifier:any@3.2 encodedCharacters:EncodedCharacters@3.7
        authTLSPassCertificateToUpstream:any@3.7 snippet:any@3.7 rewriteTarget:any@3.7 upstreamVHost:any@3.7
        appRoot:any@3.7
      Service loadBalancer:ServersLoadBalancer weighted:WeightedRoundRobin!l mirroring:Mirroring!l
        failover:Failover!l@2.7 highestRandomWeight:HighestRandomWeight!l@3.6 middlewares:[]@3.7
      Model middlewares:[] tls:RouterTLSConfig? deniedEncodedPathCharacters:any@2.11 defaultRuleSyntax:any@3.0
        observability:RouterObservabilityConfig@3.3
      ServersTransport serverName insecureSkipVerify:bool rootCAs:[] certificates:[Certificate]
        maxIdleConnsPerHost:int forwardingTimeouts:ForwardingTimeouts disableHTTP2:bool@2.5 peerCertURI@2.5
        spiffe:Spiffe?@3.0 cipherSuites:[]@3.7 minVersion@3.7 maxVersion@3.7 peerCertSANs:[SAN]@3.8
      TCPRouter entryPoints:[] service rule tls:RouterTCPTLSConfig? middlewares:[]@2.5 priority:int@2.7
        ruleSyntax@3.0
      TCPService loadBalancer:TCPServersLoadBalancer weighted:TCPWeightedRoundRobin!l
      TCPMiddleware ipWhiteList:TCPIPWhiteList inFlightConn:TCPInFlightConn@2.6 ipAllowList:TCPIPAllowList@2.11
      TCPServersTransport dialKeepAlive:duration dialTimeout:duration terminationDelay:duration tls:TLSClientConfig?
        proxyProtocol:ProxyProtocol?@3.5
      CertAndStores certFile keyFile stores:[]
      Options minVersion cipherSuites:[] clientAuth:ClientAuth sniStrict:bool maxVersion@2.1 curvePreferences:[]@2.1
        preferServerCipherSuites:bool@2.2 alpnProtocols:[]@2.5 disableSessionTickets:bool@3.4
      Store defaultCertificate:Certificate!l defaultGeneratedCert:GeneratedCert@2.9
      UDPRouter entryPoints:[] service
      UDPService loadBalancer:UDPServersLoadBalancer weighted:UDPWeightedRoundRobin!l
      RouterTLSConfig options certResolver domains:[Domain] resolvedOptions:any@2.11
      RouterObservabilityConfig accessLogs:bool tracing:bool metrics:bool traceVerbosity@3.5 metadata:any@3.7
      AddPrefix prefix
      StripPrefix prefixes:[] forceSlash:bool
      StripPrefixRegex regex:[]
      ReplacePath path
      ReplacePathRegex regex replacement
      Chain middlewares:[]
      IPWhiteList sourceRange:[] ipStrategy:IPStrategy?
      Headers customRequestHeaders:{} customResponseHeaders:{} accessControlAllowCredentials:bool
        accessControlAllowHeaders:[] accessControlAllowMethods:[] accessControlAllowOrigin@-2.4
        accessControlExposeHeaders:[] accessControlMaxAge:int addVaryHeader:bool allowedHosts:[]
        hostsProxyHeaders:[] sslRedirect:bool sslTemporaryRedirect:bool sslHost sslProxyHeaders:{} sslForceHost:bool
        stsSeconds:int stsIncludeSubdomains:bool stsPreload:bool forceSTSHeader:bool frameDeny:bool
        customFrameOptionsValue contentTypeNosniff:bool browserXSSFilter:bool customBrowserXSSValue
        contentSecurityPolicy publicKey referrerPolicy featurePolicy isDevelopment:bool
        accessControlAllowOriginList:[]@2.2 accessControlAllowOriginListRegex:[]@2.4 permissionsPolicy@2.5
        contentSecurityPolicyReportOnly@3.1
      ErrorPage status:[] service query errorRequestHeaders:[]@2.11 statusRewrites:{int}@3.4 nginxHeaders:any@3.7
      RateLimit average:int burst:int sourceCriterion:SourceCriterion period:duration@2.2 redis:Redis@3.4
      RedirectRegex regex replacement permanent:bool statusCode:any@3.7
      RedirectScheme scheme port permanent:bool forcePermanentRedirect:any@3.6
      BasicAuth users:[] usersFile realm removeHeader:bool headerField
      DigestAuth users:[] usersFile removeHeader:bool realm headerField
      ForwardAuth address tls:ClientTLS trustForwardHeader:bool authResponseHeaders:[] authResponseHeadersRegex@2.4
        authRequestHeaders:[]@2.4 maxResponseBodySize:int@2.11 addAuthCookiesToResponse:[]@3.0 headerField@3.2
        forwardBody:bool@3.3 maxBodySize:int@3.3 preserveLocationHeader:bool@3.3 preserveRequestMethod:bool@3.4
        authSigninURL@3.7
      InFlightReq amount:int sourceCriterion:SourceCriterion
      Buffering maxRequestBodyBytes:int memRequestBodyBytes:int maxResponseBodyBytes:int memResponseBodyBytes:int
        retryExpression disableRequestBuffer:any@3.7 disableResponseBuffer:any@3.7
      CircuitBreaker expression checkPeriod:duration@2.8 fallbackDuration:duration@2.8 recoveryDuration:duration@2.8
        responseCode:int@3.0
      Compress excludedContentTypes:[] minResponseBodyBytes:int@2.6 includedContentTypes:[]@3.0 defaultEncoding@3.0
        encodings:[]@3.2
      PassTLSClientCert pem:bool info:CertificateFields
      Retry attempts:int initialInterval:duration@2.4 timeout:duration@3.7 maxRequestBodyBytes:int@3.7 status:[]@3.7
        disableRetryOnNetworkError:bool@3.7 retryNonIdempotentMethod:bool@3.7
      ContentType autoDetect:bool
      IPAllowList sourceRange:[] ipStrategy:IPStrategy? rejectStatusCode:int?@3.0
      GrpcWeb allowOrigins:[]
      EncodedCharacters allowEncodedSlash:bool allowEncodedBackSlash:bool allowEncodedNullCharacter:bool
        allowEncodedSemicolon:bool allowEncodedPercent:bool allowEncodedQuestionMark:bool allowEncodedHash:bool
      ServersLoadBalancer sticky:Sticky? servers/server:[Server] healthCheck:ServerHealthCheck passHostHeader:bool
        responseForwarding:ResponseForwarding serversTransport@2.4 strategy@3.4
        passiveHealthCheck:PassiveServerHealthCheck@3.6 nginxUpstreamHashBy:any@3.7
      WeightedRoundRobin services:[WRRService] sticky:Sticky healthCheck:Nothing?@2.5
      Mirroring service mirrors:[MirrorService] maxBodySize:int@2.2 healthCheck:Nothing?@2.5 mirrorBody:bool@3.2
      Failover service fallback healthCheck:Nothing? errors:FailoverError@3.7
      HighestRandomWeight services:[HRWService] healthCheck:Nothing?
      Certificate certFile keyFile
      ForwardingTimeouts dialTimeout:duration responseHeaderTimeout:duration idleConnTimeout:duration
        readIdleTimeout:duration@2.6 pingTimeout:duration@2.6 readTimeout:duration@3.7 writeTimeout:duration@3.7
      Spiffe ids:[] trustDomain
      SAN type value
      RouterTCPTLSConfig passthrough:bool options certResolver domains:[Domain]
      TCPServersLoadBalancer terminationDelay:int servers/server:[TCPServer] proxyProtocol:ProxyProtocol?@2.4
        serversTransport@3.0 healthCheck:TCPServerHealthCheck?@3.6
      TCPWeightedRoundRobin services:[TCPWRRService] healthCheck:Nothing?@3.6
      TCPIPWhiteList sourceRange:[]
      TCPInFlightConn amount:int
      TCPIPAllowList sourceRange:[]
      TLSClientConfig serverName insecureSkipVerify:bool rootCAs:[] certificates:[Certificate] peerCertURI
        spiffe:Spiffe? peerCertSANs:[SAN]@3.8
      ProxyProtocol version:int
      ClientAuth caFiles:[] clientAuthType
      GeneratedCert resolver domain:Domain
      UDPServersLoadBalancer servers/server:[UDPServer]
      UDPWeightedRoundRobin services:[UDPWRRService]
      Domain main sans:[]
      IPStrategy depth:int excludedIPs:[] ipv6Subnet:int@3.2
      SourceCriterion ipStrategy:IPStrategy requestHeaderName requestHost:bool
      Redis endpoints:[] tls:RedisTLS username password db:int poolSize:int minIdleConns:int maxActiveConns:int
        readTimeout:duration writeTimeout:duration dialTimeout:duration
      ClientTLS ca caOptional:bool cert key insecureSkipVerify:bool
      CertificateFields notAfter:bool notBefore:bool sans:bool subject:CertificateInfo issuer:IssuerInfo
        serialNumber:bool@2.2
      Sticky cookie:Cookie?
      Server url scheme!f port!f weight:int@3.0 preservePath:bool@3.2 fenced:any@3.3
      ServerHealthCheck scheme path port:int interval:duration timeout:duration hostname followRedirects:bool
        headers:{} method@2.9 mode@3.0 status:int@3.0 unhealthyInterval:duration@3.5
      ResponseForwarding flushInterval:duration
      PassiveServerHealthCheck failureWindow:duration maxFailedAttempts:int
      WRRService name weight:int status:any@3.1 grpcStatus:any@3.2 headers:any@3.6
      MirrorService name percent:int
      FailoverError maxRequestBodyBytes:int status:[]
      HRWService name weight:int
      TCPServer address!l port tls:bool@3.0
      TCPServerHealthCheck port:int send expect interval:duration unhealthyInterval:duration timeout:duration
      TCPWRRService name weight:int
      UDPServer address!l port!f
      UDPWRRService name weight:int
      RedisTLS ca cert key insecureSkipVerify:bool
      CertificateInfo country:bool province:bool locality:bool organization:bool commonName:bool serialNumber:bool
        domainComponent:bool organizationalUnit:bool@2.6
      IssuerInfo country:bool province:bool locality:bool organization:bool commonName:bool serialNumber:bool
        domainComponent:bool
      Cookie name secure:bool httpOnly:bool sameSite@2.1 maxAge:int@3.0 path@3.3 domain@3.4 expires:any@3.7
      """

    private init() {
      var types: [String: [Field]] = [:]
      var type = ""
      for line in Self.table.split(separator: "\n") {
        var words = line.split(separator: " ")[...]
        if !line.hasPrefix(" ") { type = String(words.removeFirst()) }
        types[type, default: []] += words.map(Field.init)
      }
      self.types = types
    }
  }
}

extension Traefik.Fields {
  /// The newest version whose fields are all in the table.
  fileprivate static let newest = (3, 7)

  /// The first thing in a file for which Traefik drops it.
  func mistake(in file: Traefik.Settings, _ version: Traefik.Version) throws(Unseen) -> Mistake? {
    var reading = Reading(fields: self, version: version, isFile: true)
    for (name, settings) in file.branches {
      // What it does not know at the top of a file it passes over.
      guard let field = find(name, in: "Configuration", version, isFile: true) else { continue }
      if let mistake = try reading.mistake(in: settings, field, named: name, at: name) { return mistake }
    }
    return nil
  }

  /// The first thing in a container's labels for which Traefik leaves it out.
  func mistake(inLabels labels: [String: String], _ version: Traefik.Version) throws(Unseen) -> Mistake? {
    var settings = Traefik.Settings()
    for (name, value) in labels.sorted(by: { $0.key < $1.key }) where Self.isDecoded(name, version) {
      guard name.hasPrefix("traefik.") else {
        return Mistake(reason: "the label \(name) does not begin with traefik", label: name)
      }
      if let part = name.split(separator: ".", omittingEmptySubsequences: false).first(where: { $0.hasPrefix("[") }) {
        return Mistake(reason: "a name is missing before \(part) in the label \(name)", label: name)
      }
      if name.hasSuffix(".") || name.contains("..") {
        return Mistake(reason: "a part of the name is empty in the label \(name)", label: name)
      }
      settings.set(label: name, to: value)
    }
    var reading = Reading(fields: self, version: version, isFile: false)
    return try reading.mistake(in: settings, type: "Labels", at: "traefik")
  }

  /// Names of labels are passed over that begin with nothing of this.
  private static func isDecoded(_ name: String, _ version: Traefik.Version) -> Bool {
    let name = name.lowercased()
    let stores = version.isAtLeast(2, 11) == true ? ["tls.stores.default"] : []
    return (["http", "tcp", "udp", "docker.", "enable"] + stores).contains { name.hasPrefix("traefik." + $0) }
  }

  fileprivate func find(
    _ name: String, in type: String, _ version: Traefik.Version, isFile: Bool
  ) -> Field? {
    let name = name.lowercased()
    return types[type]?.first { field in
      (isFile ? field.key : field.alias ?? field.key) == name && field.isIn(version)
    }
  }
}

extension Traefik.Fields.Field {
  fileprivate init(_ text: Substring) {
    let (rest, range) = text.halves(at: "@")
    let (named, ignored) = rest.halves(at: "!")
    let (names, type) = named.halves(at: ":")
    let (name, alias) = names.halves(at: "/")
    let ends = (range ?? "").split(separator: "-", omittingEmptySubsequences: false)
    func version(_ text: Substring?) -> (Int, Int)? {
      let numbers = (text ?? "").split(separator: ".").compactMap { Int($0) }
      return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }
    self.name = String(name)
    key = name.lowercased()
    self.alias = alias.map(String.init)
    mayBeEmpty = type?.hasSuffix("?") == true
    ignoredIn = ignored ?? ""
    since = version(ends.first) ?? (0, 0)
    until = version(ends.count > 1 ? ends[1] : nil) ?? (.max, 0)
    let kind = type.map { $0.hasSuffix("?") ? $0.dropLast() : $0 } ?? ""
    let inner = String(kind.dropFirst().dropLast())
    self.kind =
      switch (kind, kind.first) {
      case ("", _): .text
      case ("bool", _): .bool
      case ("int", _): .integer
      case ("duration", _): .duration
      case ("any", _), ("{any}", _): .anything
      case ("[]", _): .texts
      case (_, "["): .structures(inner)
      case ("{}", _), ("{int}", _): .entries(nil)
      case (_, "{"): .entries(inner)
      default: .structure(String(kind))
      }
  }

  /// True where a version may have it.
  fileprivate func isIn(_ version: Traefik.Version) -> Bool {
    guard let minor = version.minor else { return since.0 <= version.major && version.major <= until.0 }
    let number = (version.major, minor)
    return since <= number && number <= until
  }
}

extension Traefik.Fields {
  /// A walk through settings beside the structures that they fill.
  fileprivate struct Reading {
    let fields: Traefik.Fields
    let version: Traefik.Version
    let isFile: Bool
    var allowance = Allowance()

    /// True where all fields of the version are known.
    private var isKnown: Bool {
      version.major > 1 && version.minor.map { (version.major, $0) <= Traefik.Fields.newest } == true
    }

    mutating func mistake(
      in settings: Traefik.Settings, type: String, at path: String
    ) throws(Unseen) -> Mistake? {
      for (name, branch) in settings.branches {
        let place = "\(path).\(name)"
        try allowance.take(of: path)
        guard let field = fields.find(name, in: type, version, isFile: isFile) else {
          let known = (fields.types[type] ?? []).filter { $0.isIn(version) }
          let names = known.map { isFile ? $0.name : $0.alias ?? $0.key }
          return Mistake(
            reason: "field not found, node: \(name) (\(place))", settings: branch, name: name,
            meant: (isFile ? name : name.lowercased()).nearest(among: names), isCertain: isKnown)
        }
        if let mistake = try mistake(in: branch, field, named: name, at: place) { return mistake }
      }
      return nil
    }

    mutating func mistake(
      in settings: Traefik.Settings, _ field: Field, named name: String, at place: String
    ) throws(Unseen) -> Mistake? {
      let branches = settings.branches
      let isIgnored = field.ignoredIn.contains(isFile ? "f" : "l")
      // YAML's nothing is no setting.
      if isFile, branches.isEmpty, let text = settings.text, ["", "~", "null", "Null", "NULL"].contains(text) {
        return nil
      }
      func wrong(_ reason: String) -> Mistake {
        Mistake(reason: "\(reason) (\(place))", settings: settings, isCertain: isKnown)
      }
      switch field.kind {
      case .anything: return nil
      case .structure(let type):
        if branches.isEmpty {
          return isIgnored || field.mayBeEmpty ? nil : wrong("\(name) cannot be a standalone element")
        }
        return try mistake(in: settings, type: type, at: place)
      case .entries(let type):
        if branches.isEmpty { return isIgnored ? nil : wrong("\(name) cannot be a standalone element") }
        guard let type, fields.types[type] != nil else { return nil }
        for (entry, branch) in branches {
          if !isFile, branch.branches.isEmpty {
            return Mistake(
              reason: "\(entry) cannot be a standalone element (\(place).\(entry))", settings: branch,
              isCertain: isKnown)
          }
          if let mistake = try mistake(in: branch, type: type, at: "\(place).\(entry)") { return mistake }
        }
        return nil
      case .structures(let type):
        if !isFile, field.alias != nil { return try mistake(in: settings, type: type, at: place) }
        for (index, branch) in branches {
          if let mistake = try mistake(in: branch, type: type, at: "\(place)[\(index)]") { return mistake }
        }
        return nil
      case .texts: return nil
      case .text: return branches.isEmpty || isFile && settings.isList ? nil : wrong("invalid node \(name)")
      case .bool, .integer, .duration:
        guard branches.isEmpty else { return wrong("invalid node \(name)") }
        guard !isIgnored, let text = settings.text, !field.kind.takes(text) else { return nil }
        return wrong("\(name) has the value \(text.isEmpty ? "nothing" : text)")
      }
    }
  }
}

extension Traefik.Fields.Kind {
  /// False for a text that is certainly no value of this kind.
  fileprivate func takes(_ text: String) -> Bool {
    let digits = text.drop { "+-".contains($0) }
    switch self {
    case .bool: return text.isGoBool
    // YAML has more forms of a number than Go.
    case .integer: return digits.first?.isNumber == true && digits.allSatisfy { $0.isHexDigit || "xo_.+-".contains($0) }
    case .duration: return !digits.isEmpty && String(digits.replacing("_", with: "")).goSeconds != nil
    default: return true
    }
  }
}

extension String {
  /// True for what Go reads as true or false.
  fileprivate var isGoBool: Bool {
    ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"].contains(self)
  }
}

extension Substring {
  fileprivate func halves(at mark: Character) -> (Substring, Substring?) {
    guard let index = firstIndex(of: mark) else { return (self, nil) }
    return (self[..<index], self[self.index(after: index)...])
  }
}
