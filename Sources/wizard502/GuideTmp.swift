import Flow
extension Wizard502 { static func guide(_ url: String?, _ catalog: Catalog, _ arguments: Arguments) async -> Exit { .fault } }
