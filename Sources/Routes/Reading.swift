public import Model

/// What reading a proxy's configuration for one request has shown.
public struct Reading: Sendable, Equatable {
  public enum Outcome: String, CaseIterable, Sendable {
    case found
    /// The host has no route of its own; the proxy's default one answers.
    case `default`
    case missing, disabled
    /// The proxy itself took the route out of service.
    case offline
    /// The configuration cannot be read to its end, and the route is not in the part that could be read.
    case broken
    /// The proxy answers itself: files, a `return`.
    case `static`
    /// It goes to something that is not HTTP, or whose address is not written out.
    case otherProtocol = "other-protocol"
    /// The route is there, and the proxy cannot use it: `problem`.
    case misconfigured
    /// The proxy knows the route and has not loaded it, or runs an older form of it.
    case notLoaded = "not-loaded"
    case unknown
  }

  public var outcome: Outcome
  public var configuration: Configuration
  /// The entry that serves the site; nil: there is none.
  public var entry: Entry?
  /// Where that sends the request on to; nil: nowhere.
  public var route: Route?
  /// What keeps the proxy from using the entry.
  public var problem: Problem?
  /// A similar name that has an entry.
  public var near: Setting<String>?
  /// True if the proxy has no entry for the site, and passes other sites on.
  public var passesOthersOn = false
  /// A container without an entry that was probably meant for the site.
  public var app: String?
  /// Where its container's labels are written.
  public var labels: Labels?
  public var log: Log
  /// What only this kind of proxy has, by the names that its own pages use.
  public var own: Facts

  public init(
    outcome: Outcome, configuration: Configuration, entry: Entry?, route: Route?, problem: Problem?,
    near: Setting<String>?, app: String?, labels: Labels?, log: Log, own: Facts
  ) {
    (self.outcome, self.configuration, self.entry, self.route) = (outcome, configuration, entry, route)
    (self.problem, self.near, self.app, self.labels) = (problem, near, app, labels)
    (self.log, self.own) = (log, own)
  }
}

extension Reading {
  /// The part of a configuration that takes the site's requests.
  public struct Entry: Sendable, Equatable {
    /// The site's name as it is written there; nil: it is none of the site's own.
    public var site: Setting<String>?
    /// `file:line`, or what else a person knows it by: `label traefik.http.routers.shop.rule of container shop`.
    public var definedIn: String
    /// The proxy's own names of it and of what it leads to, and where the proxy has it from: `docker`, `file`.
    public var router: String?
    public var service: String?
    public var provider: String?

    public init(site: Setting<String>?, definedIn: String, router: String?, service: String?, provider: String?) {
      (self.site, self.definedIn) = (site, definedIn)
      (self.router, self.service, self.provider) = (router, service, provider)
    }
  }

  /// What is wrong with an entry.
  public struct Problem: Sendable, Equatable {
    public enum Remedy: Sendable, Equatable {
      /// The whole line has to be this one; nil: that cannot be told.
      case line(Edit, fixed: String?)
      /// The whole line has to go.
      case removal(Edit)
      /// This line is missing after that one.
      case insertion(Edit, text: String, next: String?)
      /// A module has to be loaded, after the last one that is.
      case module(Insertion)
    }
    /// In the proxy's own words, or in the words of the field.
    public var reason: String
    public var remedy: Remedy?
    /// The label that would put it right, with its value.
    public var label: String?

    public init(reason: String, remedy: Remedy?, label: String?) {
      (self.reason, self.remedy, self.label) = (reason.printable, remedy, label)
    }
  }

  /// The place for another label of a container, and what stands around a label's name and value there.
  public struct Labels: Sendable, Equatable {
    public var line: Insertion
    public var open: String
    public var between: String
    public var close: String

    public init(line: Insertion, open: String, between: String, close: String) {
      (self.line, self.open, self.between, self.close) = (line, open, between, close)
    }
  }

  /// Where the proxy says what went wrong with it.
  public struct Log: Sendable, Equatable {
    /// The error log as the proxy sees it; nil: it is no file.
    public var file: Known<String?>
    /// Texts of which a line about this route contains one.
    public var keys: [String]
    /// The least serious kind of line that is written, in the proxy's own word; nil: what it does by itself, or not read.
    public var level: Setting<String>?

    public init(file: Known<String?>, keys: [String], level: Setting<String>? = nil) {
      (self.file, self.keys, self.level) = (file, keys, level)
    }
  }

  /// The files, and how the proxy was told of them.
  public struct Configuration: Sendable, Equatable {
    public struct Mistake: Sendable, Equatable {
      /// With the place, as the proxy itself would say it.
      public var reason: String
      /// A path of this machine, or one inside the container; the line's number from 1, and its text.
      public var file: String?
      public var line: Int?
      public var text: String?
      /// The whole line, mended, where a patch fits; nil: that cannot be told.
      public var fixed: String?

      public init(reason: String, file: String?, line: Int?, text: String?, fixed: String?) {
        (self.reason, self.file, self.line) = (reason.printable, file, line)
        (self.text, self.fixed) = (text, fixed)
      }
    }

    public struct Newest: Sendable, Equatable {
      public var path: String
      /// Seconds since 1970.
      public var changed: Double

      public init(path: String, changed: Double) { (self.path, self.changed) = (path, changed) }
    }

    /// As its command line names them.
    public struct Start: Sendable, Equatable {
      public var file: String?
      public var prefix: String?
      /// By which its file becomes its configuration: `caddyfile`.
      public var adapter: String?

      public init(file: String?, prefix: String?, adapter: String?) {
        (self.file, self.prefix, self.adapter) = (file, prefix, adapter)
      }
    }

    public var start: Start
    public var mistake: Mistake?
    /// The file that was changed last.
    public var newest: Newest?
    /// The one file to add a route to, where a person edits it.
    public var main: String?
    /// The folder for files with routes, on this machine and as the proxy sees it.
    public var folder: String?
    public var folderInside: String?
    /// The container inside which the entry is written, if this machine does not see that file.
    public var container: String?
    /// False if it has no admin API: then it loads its files only when it starts.
    public var hasAdmin: Known<Bool>
    public var version: String?
    /// What could not be read, if the entry was found without it.
    public var unread: String?
    /// True if the file to change is mounted into the proxy's container by itself: the container keeps that very file,
    /// also when another one takes its place.
    public var isMountedAlone = false
    /// How many connections it may have, where that is written.
    public var connections: Edit?
    /// The line below which its settings for all sites stand.
    public var global: Insertion?
    /// The same as `isMountedAlone`, of the file with these two.
    public var isGlobalMountedAlone = false

    public init(
      start: Start, mistake: Mistake?, newest: Newest?, main: String?, folder: String?, folderInside: String?,
      container: String?, hasAdmin: Known<Bool>, version: String?, unread: String?
    ) {
      (self.start, self.mistake, self.newest, self.main) = (start, mistake, newest, main)
      (self.folder, self.folderInside, self.container) = (folder, folderInside, container)
      (self.hasAdmin, self.version, self.unread) = (hasAdmin, version, unread)
    }
  }
}

/// What a proxy tells of its use and its limits right now.
public struct ProxyUse: Sendable, Equatable {
  /// Connections that it has open, and how many it may have.
  public var connections: Int?
  public var connectionLimit: Int?
  /// Requests that it has given to the upstream, how many it may give at a time, and those that wait in it.
  public var requests: Int?
  public var requestLimit: Setting<Int>?
  public var queued: Int?

  public init(connections: Int?, connectionLimit: Int?, requests: Int?, requestLimit: Setting<Int>?, queued: Int?) {
    (self.connections, self.connectionLimit, self.requests) = (connections, connectionLimit, requests)
    (self.requestLimit, self.queued) = (requestLimit, queued)
  }
}
