// What needs no book: the record as data, the words for codes, errors and findings. And how a call of the generated half
// fails: in the words of the core, never in its own. Must not know a ledger.
package cn.wanhu

import cn.wanhu.core.Code
import cn.wanhu.core.CodeList
import cn.wanhu.core.Finding
import cn.wanhu.core.LedgerException
import cn.wanhu.core.Schema
import java.nio.charset.CharacterCodingException

/** Containers, fields and code lists of the record, with Chinese and English labels. */
public fun recordSchema(): Schema = typed { cn.wanhu.ffi.recordSchema() }

/**
 * The words for codes: lists `error`, `task_kind`, `lack`, `check`, `figure_name` and others that stand in no record, and those of the
 * record, as `case_state`.
 */
public fun wordList(name: String): CodeList? = typed { cn.wanhu.ffi.wordList(name) }

/** The words for one of them. */
public fun words(list: String, code: String): Code? = typed { cn.wanhu.ffi.words(list, code) }

/** What people are told about an error, with its code. */
public fun words(error: LedgerException): Code? = typed { cn.wanhu.ffi.errorWords(error) }

/** What people are told about a finding, with its code. */
public fun words(finding: Finding): Code = typed { cn.wanhu.ffi.findingWords(finding) }

/** A library of another build is refused here and not believed. */
internal object Library {
    init {
        cn.wanhu.core.uniffiEnsureInitialized()
        cn.wanhu.ffi.uniffiEnsureInitialized()
    }

    /** Does nothing more than what comes first. */
    fun check() = Unit
}

/** What the generated half refuses by itself, and what went wrong in the library, in the words of the core. */
internal inline fun <T> typed(work: () -> T): T = try {
    Library.check()
    work()
} catch (lone: CharacterCodingException) {
    throw LedgerException.InvalidInput("text", "not_unicode")
} catch (panic: cn.wanhu.core.InternalException) {
    // Its text may hold what was on record.
    throw LedgerException.Internal("panic")
} catch (panic: cn.wanhu.ffi.InternalException) {
    throw LedgerException.Internal("panic")
}
