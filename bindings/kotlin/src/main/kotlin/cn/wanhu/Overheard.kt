// What fails in the app while the library calls it stops nothing, and is written to the app's log: nobody else can hear of it. Must not
// know what the library makes of it.
package cn.wanhu

import cn.wanhu.ffi.KeyVault
import cn.wanhu.ffi.KeyVaultException
import java.util.logging.Level
import java.util.logging.Logger

private val log: Logger = Logger.getLogger("cn.wanhu")

/** Runs the app's own [work], and says in the log what it failed with. */
internal fun <T> overheard(what: String, work: () -> T): T = try {
    work()
} catch (told: KeyVaultException) {
    throw told
} catch (failed: Exception) {
    log.log(Level.SEVERE, "exception in $what", failed)
    throw failed
}

/** The app's vault, whose own exceptions are told. */
internal class Overheard(private val vault: KeyVault) : KeyVault {
    override fun load(): ByteArray? = overheard("a KeyVault") { vault.load() }

    override fun keep(key: ByteArray): Unit = overheard("a KeyVault") { vault.keep(key) }

    override fun forget(): Unit = overheard("a KeyVault") { vault.forget() }
}
