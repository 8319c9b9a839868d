// The ledger (台账) for Kotlin: every call is a coroutine on a thread of its own, every change of the book a Flow. Must not
// decide anything; the core does.
package cn.wanhu

import cn.wanhu.core.CaseView
import cn.wanhu.core.Conflict
import cn.wanhu.core.Day
import cn.wanhu.core.Duplicate
import cn.wanhu.core.FieldValue
import cn.wanhu.core.Figure
import cn.wanhu.core.Finding
import cn.wanhu.core.FormView
import cn.wanhu.core.HistoryLine
import cn.wanhu.core.HouseholdId
import cn.wanhu.core.LedgerException
import cn.wanhu.core.ListFilter
import cn.wanhu.core.ListRow
import cn.wanhu.core.PageStart
import cn.wanhu.core.RecordEdit
import cn.wanhu.core.RecordView
import cn.wanhu.core.RefusedView
import cn.wanhu.core.SheetView
import cn.wanhu.core.Statistic
import cn.wanhu.core.StepForm
import cn.wanhu.core.SyncPhase
import cn.wanhu.core.SyncReport
import cn.wanhu.core.TaskView
import cn.wanhu.core.UnsentView
import cn.wanhu.core.Warning
import cn.wanhu.ffi.Cancel
import cn.wanhu.ffi.Enrolled
import cn.wanhu.ffi.HelpView
import cn.wanhu.ffi.KeyVault
import cn.wanhu.ffi.LedgerStatus
import cn.wanhu.ffi.SyncObserver
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.withContext

/** How far a sync is: bytes while sending, log entries while receiving, milliseconds while waiting. */
public data class SyncProgress(val phase: SyncPhase, val done: ULong, val total: ULong)

/** Whether a book is being synced, and what came of the last time. */
public sealed interface SyncState {
    /** No sync is under way: there was none yet, or the last one ended well or was cancelled. */
    public data object Idle : SyncState

    /** A sync is under way; [progress] is its last word, nothing before the first. */
    public data class Running(val progress: SyncProgress?) : SyncState

    /** No sync is under way: the last one failed with [error]. */
    public data class Failed(val error: LedgerException) : SyncState
}

/**
 * A phone's record book. Errors are [cn.wanhu.core.LedgerException] and its kinds: codes and values, the app has the words.
 *
 * Close it when the app no longer needs it: running syncs stop, flows end, nothing is lost. The file is free for another
 * [open] at once. Closing writes what is left to write: it is work for a thread that may wait. Whoever closes the book while the phone
 * is being enrolled needs another code.
 */
public class Ledger private constructor(private val native: cn.wanhu.ffi.Ledger) : AutoCloseable {
    private val running = mutableSetOf<Cancel>()
    private var isClosed = false
    private val syncing = MutableStateFlow<SyncState>(SyncState.Idle)

    /** Where goes on what does not end with the coroutine that asked for it. */
    private val behind = CoroutineScope(SupervisorJob())

    /** Whether this book is being synced now, for every screen that shows it. */
    public val syncState: StateFlow<SyncState> = syncing.asStateFlow()

    public companion object {
        init {
            Library.check()
        }

        /** Opens or creates the ledger at [path], encrypted with a key that [vault] keeps. */
        public suspend fun openSealed(path: String, vault: KeyVault): Ledger =
            opened { cn.wanhu.ffi.Ledger.openSealed(path, Overheard(vault)) }

        /** Opens or creates the ledger at [path] without encryption: for tests. */
        public suspend fun open(path: String): Ledger = opened { cn.wanhu.ffi.Ledger.open(path) }

        /** Whoever is cancelled meanwhile leaves no file open behind. */
        private suspend fun opened(open: () -> cn.wanhu.ffi.Ledger): Ledger {
            var native: cn.wanhu.ffi.Ledger? = null
            try {
                return Ledger(onDisk { open().also { native = it } })
            } catch (cancelled: CancellationException) {
                native?.close()
                throw cancelled
            }
        }

        private suspend fun <T> onDisk(work: suspend () -> T): T = withContext(Dispatchers.IO) { typed { work() } }

        /** A number that the core takes only from 0 on. */
        private fun counted(field: String, number: Int): UInt =
            if (number < 0) throw LedgerException.InvalidInput(field, "out_of_range") else number.toUInt()
    }

    /** A closed book says so in the words of the core, also where there is no core behind it any more. */
    private suspend fun <T> io(work: suspend () -> T): T = try {
        onDisk(work)
    } catch (gone: IllegalStateException) {
        if (gone is CancellationException || !hasClosed()) throw gone
        throw LedgerException.InvalidInput("ledger", "closed")
    }

    /** What the first screen shows. */
    public suspend fun status(): LedgerStatus = io { native.status() }

    /** The ISO day it is in China, by the server's clock where this phone has heard it. */
    public suspend fun today(): Day = io { native.today() }

    /**
     * The names of a division and of those it lies in, the province's first, as far as this phone has them; of a code that is
     * nowhere none.
     */
    public suspend fun regionPath(code: ULong): List<String> = io { native.regionPath(code) }

    /**
     * Enrols this phone with a one-time code; [authorityPem] is the server's own certificate authority. Goes on to its end
     * behind a coroutine that is cancelled: a code that is spent must not be lost.
     */
    public suspend fun enrol(
        url: String,
        code: String,
        deviceName: String,
        authorityPem: String? = null,
    ): Enrolled = behind.async { io { native.enrol(url, authorityPem, code, deviceName) } }.await()

    /** Exchanges with the server until both hold the same. Cancelling the coroutine stops it at once. */
    public suspend fun sync(progress: (SyncProgress) -> Unit = {}): SyncReport {
        val cancel = Cancel()
        begun(cancel)
        val observer = object : SyncObserver {
            override fun onProgress(phase: SyncPhase, done: ULong, total: ULong) {
                val heard = SyncProgress(phase, done, total)
                said(cancel, heard)
                overheard("a sync's progress") { progress(heard) }
            }
        }
        var end: SyncState = SyncState.Idle
        try {
            return io { native.sync(observer, cancel) }
        } catch (cancelled: CancellationException) {
            // What the runtime has taken up goes on until it is told.
            cancel.cancel()
            throw cancelled
        } catch (failed: LedgerException) {
            end = SyncState.Failed(failed)
            throw failed
        } finally {
            ended(cancel, end)
            cancel.close()
        }
    }

    private fun begun(sync: Cancel) = synchronized(running) {
        if (isClosed) sync.cancel()
        running.add(sync)
        syncing.value = SyncState.Running(null)
    }

    /** One that was cancelled may still have something to say; that is nobody's state any more. */
    private fun said(sync: Cancel, progress: SyncProgress) = synchronized(running) {
        if (sync in running) syncing.value = SyncState.Running(progress)
    }

    /** While another sync goes on, its state stays. */
    private fun ended(sync: Cancel, state: SyncState) = synchronized(running) {
        running.remove(sync)
        if (running.isEmpty()) syncing.value = state
    }

    /** One page of the list, by village and head's name. */
    public suspend fun list(
        filter: ListFilter = ListFilter(),
        after: PageStart? = null,
        rowsMax: Int = 50,
    ): List<ListRow> = io { native.list(filter, after, counted("rows_max", rowsMax)) }

    /** A page that comes again whenever something in the book has changed. */
    public fun rows(filter: ListFilter = ListFilter(), rowsMax: Int = 50): Flow<List<ListRow>> =
        versions().map { list(filter, null, rowsMax) }.distinctUntilChanged().untilClosed()

    /** What the first screen shows, and again whenever it has become something else. */
    public fun statuses(): Flow<LedgerStatus> = versions().map { status() }.distinctUntilChanged().untilClosed()

    /**
     * The version of the book now, and later ones until it is closed; of changes in quick succession the last. A sync that brings
     * nothing makes one as well: do not sync whenever there is one.
     */
    public fun versions(): Flow<ULong> = flow {
        var version = typed { native.version() }
        while (!hasClosed()) {
            emit(version)
            version = typed { native.changed(version) }
        }
    }.flowOn(Dispatchers.IO).conflate().untilClosed()

    private fun hasClosed(): Boolean = synchronized(running) { isClosed }

    /** What asks a book that is closed, or just being closed, gets no answer; that is the end and no fault. */
    private fun <T> Flow<T>.untilClosed(): Flow<T> = catch { fault ->
        val isEnd = fault is LedgerException.InvalidInput && fault.field == "ledger" && fault.reason == "closed"
        if (!isEnd && !hasClosed()) throw fault
    }

    /** One household whole. */
    public suspend fun show(household: HouseholdId): RecordView = io { native.show(household) }

    /** Opens a record for a new household in a village. */
    public suspend fun createHousehold(village: ULong, edit: RecordEdit): HouseholdId =
        io { native.createHousehold(village, edit) }

    /** Saves a form: one change, safe on disk when this returns. */
    public suspend fun edit(household: HouseholdId, edit: RecordEdit): Unit =
        io { native.edit(household, edit) }

    /** Records a visit, stamped with the person who is enrolled. */
    public suspend fun recordVisit(household: HouseholdId, fields: List<FieldValue>): Unit =
        io { native.recordVisit(household, fields) }

    /** What this person has to do, the most urgent first. */
    public suspend fun tasks(): List<TaskView> = io { native.tasks() }

    /** Where a household's monitoring case is. */
    public suspend fun case(household: HouseholdId): CaseView = io { native.case(household) }

    /** Takes a step of the case, with whatever is saved together with it. */
    public suspend fun takeStep(
        household: HouseholdId,
        step: StepForm,
        with: RecordEdit = RecordEdit(),
    ): Unit = io { native.takeStep(household, step, with) }

    /** The warnings that fire for a household today and that nobody was warned of yet. */
    public suspend fun warnings(household: HouseholdId): List<Warning> =
        io { native.warnings(household) }

    /** What contradicts on a household's record. Nothing of it blocks anything. */
    public suspend fun checks(household: HouseholdId): List<Finding> = io { native.checks(household) }

    /** What help brings a household in a calendar year. */
    public suspend fun help(household: HouseholdId, year: Int): HelpView =
        io { native.help(household, year) }

    /**
     * Figures of an area that is all on this phone; [withIds] names those whose households are wanted. [asOf] is a past
     * day, by the clocks of those who wrote; else it is today. With [grid], of the grids of that name alone.
     */
    public suspend fun figures(
        area: ULong,
        from: Day,
        to: Day,
        withIds: List<Statistic> = emptyList(),
        asOf: Day? = null,
        grid: String? = null,
    ): List<Figure> = io { native.figures(area, from, to, withIds, asOf, grid) }

    /** The department forms of this release. */
    public suspend fun forms(): List<FormView> = io { native.forms() }

    /** A form filled in from the records of an area that is all on this phone, as they are now. */
    public suspend fun sheet(form: String, area: ULong): SheetView = io { native.sheet(form, area) }

    /** The fields of a household that hold several values. */
    public suspend fun conflicts(household: HouseholdId): List<Conflict> =
        io { native.conflicts(household) }

    /** Settles a conflict as it was [seen], by the place of one of its values; not found where others stand there now. */
    public suspend fun settle(seen: Conflict, choice: Int): Unit =
        io { native.settle(seen, counted("choice", choice)) }

    /** Every field every change set, oldest first. */
    public suspend fun history(household: HouseholdId): List<HistoryLine> =
        io { native.history(household) }

    /** The changes the server did not take. */
    public suspend fun refused(): List<RefusedView> = io { native.refused() }

    /** Makes a refused change anew on what is on record now. */
    public suspend fun reauthor(refused: RefusedView): Unit = io { native.reauthor(refused.n) }

    /** Every change that waits to be sent, to be kept elsewhere. */
    public suspend fun unsent(): List<UnsentView> = io { native.unsent() }

    /** Records on this phone that may be of one family, the surest first. */
    public suspend fun duplicates(): List<Duplicate> = io { native.duplicates() }

    /** Makes two records one; the duplicate stays readable. */
    public suspend fun merge(kept: HouseholdId, duplicate: HouseholdId): Unit =
        io { native.merge(kept, duplicate) }

    override fun close() {
        synchronized(running) {
            if (isClosed) return
            isClosed = true
            running.forEach(Cancel::cancel)
        }
        native.use { it.closeBook() }
    }
}
