// swift-tools-version:5.9
// An app of somebody else's that depends on the package by the path of its folder; `cargo xtask swift` builds and runs it, `cargo xtask bench ffi` the
// program that measures. Must not
// see more of the package than its product.
import PackageDescription

let package = Package(
    name: "App",
    platforms: [.iOS(.v15), .macOS(.v12)],
    dependencies: [.package(path: "..")],
    targets: [
        .executableTarget(name: "App", dependencies: [.product(name: "Wanhu", package: "swift")]),
        .executableTarget(name: "Bench", dependencies: [.product(name: "Wanhu", package: "swift")]),
    ]
)
