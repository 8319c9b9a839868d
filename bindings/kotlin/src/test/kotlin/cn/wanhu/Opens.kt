// A program of its own that opens a book and closes it: what an app is that ships a library. Knows no server.
package cn.wanhu

import kotlinx.coroutines.runBlocking

internal fun main(arguments: Array<String>) = runBlocking {
    Ledger.open(arguments.single()).close()
    println("opened")
}
