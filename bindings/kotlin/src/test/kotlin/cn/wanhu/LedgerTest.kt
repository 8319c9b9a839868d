// The scenario every language tells: two phones of one village, a township's server, the line lost and found.
package cn.wanhu

import cn.wanhu.core.Check
import cn.wanhu.core.Conflict
import cn.wanhu.core.FieldChange
import cn.wanhu.core.FigureUnit
import cn.wanhu.core.LedgerException
import cn.wanhu.core.Likeness
import cn.wanhu.core.ListFilter
import cn.wanhu.core.ListRow
import cn.wanhu.core.NewRow
import cn.wanhu.core.PageStart
import cn.wanhu.core.RecordEdit
import cn.wanhu.core.RefusedView
import cn.wanhu.core.Stage
import cn.wanhu.core.Statistic
import cn.wanhu.core.StepForm
import cn.wanhu.core.SyncPhase
import cn.wanhu.core.TaskKind
import cn.wanhu.core.Value
import cn.wanhu.ffi.HelpOfFamily
import cn.wanhu.ffi.KeyVault
import cn.wanhu.ffi.KeyVaultException
import java.io.File
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

internal class LedgerTest : TownshipCase() {
    @Test
    fun `two phones meet after working apart`() = runBlocking {
        val (a, b) = phone("a", "li.ming") to phone("b", "wang.fang")
        val chen = a.createHousehold(village, family("陈永昌"))
        assertEquals(1UL, a.sync().receipts)
        assertEquals(1UL, b.sync().received)
        assertEquals(listOf("陈永昌"), b.list(ListFilter(search = "cyc")).map { it.headName })
        for ((ledger, grade) in listOf(a to "b", b to "c")) {
            ledger.edit(chen, setting("living", "house_danger", grade))
            ledger.recordVisit(chen, listOf(text("met", "head"), text("finding", "stable")))
        }
        assertEquals(Value.Text("b"), a.unsent().first().fields.first().value)
        listOf(a, b, a).forEach { it.sync() }
        val conflict = a.conflicts(chen).single()
        assertEquals(setOf<Value>(Value.Text("b"), Value.Text("c")), conflict.values.map { it.value }.toSet())
        a.settle(conflict, 0)
        val moved = fails<LedgerException.NotFound> { a.settle(conflict, 1) }
        assertEquals("conflict" to "living.house_danger", moved.kind to moved.id, "not as it was seen")
        a.sync()
        b.sync()
        assertTrue(b.conflicts(chen).isEmpty())
        assertEquals(2, b.show(chen).fields.count { it.container == "visits" && it.key.endsWith(".met") })
        assertTrue(b.history(chen).all { it.acknowledged })
        listOf(a, b).forEach { it.close() }
    }

    @Test
    fun `a department's table becomes a task on the phone, and a visit settles it`() = runBlocking {
        township.office("account-add", "yibao", "--name", "医保局", "--role", "department", "--area", "431022")
        val ledger = phone("a", "li.ming")
        val wife = NewRow("members", listOf(text("name", "文秀芬"), text("identity_number", "431022197003080028")))
        val chen = ledger.createHousehold(village, family("陈永昌").let { it.copy(newRows = it.newRows + wife) })
        ledger.sync()
        assertTrue(ledger.tasks().isEmpty())
        township.bills("yibao", "姓名,身份证号码,医疗类别,病种,入院日期,总费用,基本医保报销,个人自付\n" +
            "文秀芬,431022197003080028,住院,乳腺恶性肿瘤,${ledger.today()},90000,60000,30000\n")
        ledger.sync()
        val tasks = ledger.tasks().map { it.household to it.task.kind }
        assertEquals(setOf(chen to TaskKind.VERIFY, chen to TaskKind.ANSWER_WARNING), tasks.toSet())
        val visit = NewRow("visits", listOf(text("date", ledger.today()), text("met", "head"), text("finding", "difficult")))
        val lacking = fails<LedgerException.IllegalStep> {
            ledger.takeStep(chen, StepForm(Stage.VERIFIED), RecordEdit(newRows = listOf(visit)))
        }
        assertEquals("consent_missing", lacking.reason)
        val consent = listOf(
            FieldChange("case", "consent", Value.Bool(true)),
            FieldChange("case", "consent_on", Value.Text(ledger.today())),
        )
        ledger.takeStep(chen, StepForm(Stage.VERIFIED), RecordEdit(consent, listOf(visit)))
        assertEquals(Stage.VERIFIED, ledger.case(chen).path.last().stage)
        assertFalse(TaskKind.VERIFY in ledger.tasks().map { it.task.kind })
        assertEquals(0UL, ledger.sync().refused)
        ledger.close()
    }

    @Test
    fun `what the server does not take can be read, with its reason`() = runBlocking {
        val ledger = phone("a", "li.ming")
        val chen = ledger.createHousehold(village, family("陈永昌"))
        ledger.sync()
        township.office("account-add", "county", "--name", "县办", "--role", "county_office", "--area", "431022")
        township.office("--by", "county", "move", chen, "431022208218")
        ledger.edit(chen, setting("basic", "head_name", "陈永盛"))
        assertEquals(1UL, ledger.sync().refused)
        val refused = ledger.refused().single()
        assertEquals("outside_area" to chen, refused.code to refused.household)
        assertEquals(Value.Text("陈永盛"), refused.fields.single().value)
        assertTrue(words("refusal", refused.code)!!.zh.isNotEmpty())
        assertTrue(ledger.list().isEmpty(), "it is another village's now")
        // Its office takes it back, and what was refused is made anew.
        township.office("--by", "county", "move", chen, village.toString())
        ledger.sync()
        ledger.reauthor(refused)
        assertEquals(0UL, ledger.sync().refused)
        assertTrue(ledger.refused().isEmpty())
        assertEquals(listOf("陈永盛"), ledger.list().map { it.headName })
        ledger.close()
    }

    @Test
    fun `a household with help is warned of, checked, counted, and made one with its second record`() = runBlocking {
        val ledger = phone("a", "li.ming")
        // The township's rules come with it.
        ledger.sync()
        val today = ledger.today()
        val bill = listOf(text("kind", "medical"), text("to", today), number("self_pay_fen", 3_000_000))
        val measure = listOf(
            text("kind", "industry"),
            text("status", "under_way"),
            text("period", "month"),
            number("amount_fen", 10_000),
            text("from", "2024-03-01"),
            text("to", "2024-08-31"),
        )
        val record = family("陈永昌").let {
            it.copy(
                fields = it.fields + FieldChange("class", "tag_serious_illness", Value.Bool(true)),
                newRows = it.newRows + NewRow("spending", bill) + NewRow("measures", measure),
            )
        }
        val chen = ledger.createHousehold(village, record)
        val warning = ledger.warnings(chen).single()
        assertEquals("medical-self-pay-other" to "illness", warning.rule to warning.risk)
        assertEquals(3_000_000L to 2_000_000L, warning.input to warning.threshold)
        assertEquals(today to 1, warning.firedOn to warning.rows.size)
        val finding = ledger.checks(chen).single()
        assertEquals(Check.INDUSTRY_NO_INCOME, finding.check)
        val told = words(finding)
        assertEquals("industry_no_income" to "已落实产业帮扶,但生产经营性收入为0.00元", told.code to told.zh)
        val help = ledger.help(chen, 2024)
        assertEquals(listOf(2024L, 60_000L, 6L), listOf(help.year.toLong(), help.totalFen, help.measures.single().payments))
        assertEquals(mapOf("industry" to HelpOfFamily(1UL, 1UL, 60_000L)), help.families)
        assertEquals(0L, ledger.help(chen, 2023).totalFen)
        val figures = ledger.figures(village, "2024-01-01", today, listOf(Statistic.TAG))
        val tagged = figures.single { it.code == Statistic.TAG && it.of == "tag_serious_illness" }
        assertEquals(listOf(1L, 1L, 1L), listOf(tagged.numerator, tagged.value, tagged.people))
        assertEquals(FigureUnit.HOUSEHOLDS to listOf(chen), tagged.unit to tagged.households)
        val covered = figures.single { it.code == Statistic.COVERAGE && it.of == village.toString() }
        assertEquals(1L to emptyList<String>(), covered.numerator to covered.households, "no ids but those asked for")
        val before = ledger.figures(village, "2023-12-01", "2023-12-31", asOf = "2023-12-31")
        assertTrue(before.all { it.asOf == "2023-12-31" && it.numerator == 0L }, "nothing was on record yet")
        val elsewhere = ledger.figures(village, "2024-01-01", today, grid = "第三网格")
        assertTrue(elsewhere.all { it.numerator == 0L }, "nobody is in that grid")
        assertEquals(emptyList<String>() to listOf(""), ledger.list(ListFilter(grid = "第三网格")).map { it.id } to ledger.list(ListFilter(grid = "")).map { it.grid })

        // Somebody opened a record that was there.
        val address = FieldChange("basic", "address", Value.Text("上洞 3 组"))
        val second = ledger.createHousehold(village, family("陈永昌").let { it.copy(fields = it.fields + address) })
        val pair = ledger.duplicates().single()
        assertEquals(Likeness.SAME_FAMILY to setOf(chen, second), pair.likeness to setOf(pair.first, pair.second))
        ledger.merge(chen, second)
        assertTrue(ledger.duplicates().isEmpty())
        assertEquals(listOf(chen), ledger.list().map { it.id })
        assertEquals(Value.Text("上洞 3 组"), ledger.show(chen).fields.single { it.key == "address" }.value)
        invalid("duplicate", "merged_before") { ledger.merge(chen, second) }
        assertEquals(0UL, ledger.sync().refused)
        ledger.close()
    }

    @Test
    fun `a list goes on behind the last row of a page`() = runBlocking {
        val ledger = phone("a", "li.ming")
        val heads = listOf("陈永昌", "胡甫武", "李桂英").associateBy { ledger.createHousehold(village, family(it)) }
        val seen = mutableListOf<ListRow>()
        var page = ledger.list(rowsMax = 1)
        while (page.isNotEmpty() && seen.size <= heads.size) {
            val last = page.single()
            seen += last
            page = ledger.list(after = PageStart(last.scope, last.headName, last.id), rowsMax = 1)
        }
        assertEquals(heads, seen.associate { it.id to it.headName })
        assertEquals(ledger.list(), seen, "in the order of the whole list")
        ledger.close()
    }

    @Test
    fun `a phone fills in a form from its own records`() = runBlocking {
        val chen = phone("a", "li.ming").use { cadre -> cadre.createHousehold(village, family("陈永昌")).also { cadre.sync() } }
        township.office("account-add", "county", "--name", "县办", "--role", "county_office", "--area", "431022")
        val ledger = phone("b", "county")
        ledger.sync()
        val carriedOver = StepForm(Stage.MONITORED, reason = "两摸底结果转入")
        ledger.takeStep(chen, carriedOver, setting("class", "monitored_kind", "sudden"))
        val form = ledger.forms().single { it.id == "members" }
        val sheet = ledger.sheet(form.id, village)
        assertEquals("${form.id}/${form.version}" to form.zh, sheet.form to sheet.title)
        assertEquals(ledger.today(), sheet.asOf)
        val table = sheet.tables.single()
        val line = table.lines.single()
        assertEquals(chen to table.header.size, line.household to line.cells.size)
        assertTrue("陈永昌" in line.cells && line.checkCode.length == 16, line.toString())
        invalid("area", "outside_area") { ledger.sheet(form.id, 431025UL) }
        val unknown = fails<LedgerException.NotFound> { ledger.sheet("no_such", village) }
        assertEquals("form" to "no_such", unknown.kind to unknown.id)
        ledger.close()
    }

    @Test
    fun `a library of another build is refused`() {
        val (taken, said) = opened(null)
        assertTrue(taken == 0 && "opened" in said, said)
        val (refused, why) = opened(System.getenv("WANHU_OTHER_LIBRARY"))
        assertTrue(refused != 0 && "checksum" in why, why)
    }

    /** How a program ends that opens a book with this library, and what it says. */
    private fun opened(library: String?): Pair<Int, String> {
        val paths = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val libraries = listOf("wanhu", "wanhu_core").mapNotNull { name ->
            library?.let { "-Duniffi.component.$name.libraryOverride=$it" }
        }
        val command = listOf("${System.getProperty("java.home")}/bin/java", "-cp", paths) + libraries +
            listOf("cn.wanhu.OpensKt", directory.resolve("opened").toString())
        val process = ProcessBuilder(command).redirectErrorStream(true).start()
        val said = process.inputReader().readText()
        return process.waitFor() to said
    }

    @Test
    fun `what may not be is said in codes with fields`() = runBlocking {
        val stranger = Ledger.open(directory.resolve("stranger").toString())
        assertEquals("not_enrolled", fails<LedgerException.SessionExpired> { stranger.sync() }.reason)
        invalid("code", "code_unknown") { stranger.enrol(township.url, "WRONG-CODE1", "a") }
        invalid("authority", "not_a_certificate") { stranger.enrol(township.url, "WRONG-CODE1", "a", "no certificate") }
        val ledger = phone("a", "li.ming")
        val chen = ledger.createHousehold(village, family("陈永昌"))
        invalid("household", "not_an_id") { ledger.show("nonsense") }
        invalid("text", "not_unicode") { ledger.show("\uD800") }
        invalid("text", "not_unicode") { ledger.edit(chen, setting("basic", "head_name", "陈\uD800")) }
        invalid("rows_max", "out_of_range") { ledger.list(rowsMax = -1) }
        invalid("rows_max", "out_of_range") { ledger.rows(rowsMax = -1).collect { } }
        invalid("tag", "not_in_list") { ledger.list(ListFilter(tag = "tag_monitord")) }
        invalid("area", "not_an_area") { ledger.rows(ListFilter(area = 7UL)).collect { } }
        invalid("village", "not_a_village") { ledger.createHousehold(1UL, family("陈")) }
        invalid("living.house_danger", "not_in_list") { ledger.edit(chen, setting("living", "house_danger", "z")) }
        invalid("nowhere", "unknown_container") { ledger.edit(chen, setting("nowhere", "x", "y")) }
        invalid("change", "nothing_to_change") { ledger.edit(chen, RecordEdit()) }
        val named = NewRow("members", listOf(text("name", "文秀芬")), "wife.1")
        invalid("members", "row_id_unfit") { ledger.edit(chen, RecordEdit(newRows = listOf(named))) }
        invalid("day", "not_a_day") { ledger.figures(village, "yesterday", "2024-01-01") }
        invalid("period", "ends_before_it_begins") { ledger.figures(village, "2024-01-02", "2024-01-01") }
        invalid("as_of", "not_yet") { ledger.figures(village, "2024-01-01", "2024-01-02", asOf = "9999-12-31") }
        invalid("area", "not_an_area") { ledger.figures(7UL, "2024-01-01", "2024-01-02") }
        invalid("area", "outside_area") { ledger.figures(431022UL, "2024-01-01", "2024-01-02") }
        val settled = Conflict(chen, "basic", "head_name", emptyList())
        invalid("choice", "out_of_range") { ledger.settle(settled, -1) }
        val nobody = "00000000-0000-0000-0000-000000000000"
        val unknown = listOf(
            ("household" to nobody) to fails<LedgerException.NotFound> { ledger.show(nobody) },
            ("conflict" to "basic.head_name") to fails<LedgerException.NotFound> { ledger.settle(settled, 7) },
            ("refused" to "7") to fails<LedgerException.NotFound> {
                ledger.reauthor(RefusedView(7, chen, "", "", emptyList()))
            },
        )
        unknown.forEach { (expected, error) -> assertEquals(expected, error.kind to error.id) }
        val decision = fails<LedgerException.NotPermitted> { ledger.edit(chen, setting("class", "monitored_kind", "sudden")) }
        assertEquals("add class.monitored_kind" to "county_office", decision.action to decision.levelNeeded)
        val appraisal = fails<LedgerException.NotPermitted> { ledger.takeStep(chen, StepForm(Stage.APPRAISED)) }
        assertEquals("add steps.state" to "village_committee", appraisal.action to appraisal.levelNeeded)
        val early = fails<LedgerException.IllegalStep> { ledger.takeStep(chen, StepForm(Stage.TO_CLOSE)) }
        assertEquals(listOf("", "to_close", "not_from_here", ""), listOf(early.state, early.step, early.reason, early.until))
        val folder = directory.toString()
        for (path in listOf("", ":memory:", folder, "$folder/a\u0000b", "$folder/no/such/folder")) {
            invalid("path", "not_a_file") { Ledger.open(path) }
        }
        invalid("path", "in_use") { Ledger.open(directory.resolve("a").toString()) }
        invalid("text", "not_unicode") { Ledger.open("$folder/\uD800") }
        assertEquals(1, ledger.unsent().size, "nothing of it was saved")
    }

    @Test
    fun `a head on record is not opened twice`() = runBlocking {
        val ledger = phone("a", "li.ming")
        val wife = listOf(text("name", "文秀芬"), text("relation", "head"), text("identity_number", "431022197003080028"))
        val record = setting("basic", "head_name", "文秀芬").copy(newRows = listOf(NewRow("members", wife)))
        val household = ledger.createHousehold(village, record)
        val again = fails<LedgerException.AlreadyOnRecord> { ledger.createHousehold(village, record) }
        assertEquals(household, again.household)
        assertEquals(listOf(household), ledger.list().map { it.id })
        ledger.close()
    }

    @Test
    fun `an observer that throws stops no sync`() = runBlocking {
        val ledger = phone("a", "li.ming")
        ledger.createHousehold(village, family("陈永昌"))
        var heard = 0
        val report = ledger.sync {
            heard += 1
            error("陈永昌's data in a stack trace")
        }
        assertEquals(1UL, report.receipts)
        assertTrue(heard > 0)
    }

    @Test
    fun `nobody waits for an enrolment that was cancelled, and it goes on behind`() = runBlocking {
        val ledger = Ledger.open(directory.resolve("a").toString())
        val code = township.code("li.ming")
        township.silent {
            runBlocking {
                withTimeout(10_000) {
                    val enrolling = launch(Dispatchers.Default, start = CoroutineStart.UNDISPATCHED) { ledger.enrol(township.url, code, "a") }
                    enrolling.cancelAndJoin()
                    assertTrue(enrolling.isCancelled)
                }
            }
        }
        // The server is heard again, and its answer with it: the code was not lost.
        withTimeout(30_000) { ledger.statuses().first { it.enrolled != null } }
        ledger.close()
    }

    @Test
    fun `a sync stops with its coroutine or with the ledger, and nothing is lost`() = runBlocking {
        val path = directory.resolve("a").toString()
        var ledger = phone("a", "li.ming")
        ledger.createHousehold(village, family("陈永昌"))
        township.silent {
            runBlocking {
                val sending = CompletableDeferred<SyncPhase>()
                val running = launch(Dispatchers.Default) { ledger.sync { sending.complete(it.phase) } }
                withTimeout(10_000) {
                    assertEquals(SyncPhase.SENDING, sending.await())
                    assertTrue(ledger.syncState.value is SyncState.Running)
                    running.cancelAndJoin()
                    assertEquals(SyncState.Idle, ledger.syncState.value)
                }
                val again = CompletableDeferred<SyncPhase>()
                val closed = async(Dispatchers.Default) {
                    runCatching { ledger.sync { again.complete(it.phase) } }
                }
                withTimeout(10_000) {
                    again.await()
                    ledger.close()
                    assertTrue(closed.await().exceptionOrNull() is LedgerException.Offline)
                }
            }
        }
        val closed = fails<LedgerException.InvalidInput> { ledger.status() }
        assertEquals("ledger" to "closed", closed.field to closed.reason)
        ledger = Ledger.open(path)
        assertEquals(1UL, ledger.status().pending)
        assertEquals(1UL, ledger.sync().receipts)
    }

    @Test
    fun `a list comes again when something has changed`() = runBlocking {
        val ledger = phone("a", "li.ming")
        val (empty, full) = CompletableDeferred<Unit>() to CompletableDeferred<String>()
        val screen = launch(Dispatchers.Default) {
            ledger.rows().collect { if (it.isEmpty()) empty.complete(Unit) else full.complete(it.single().headName) }
        }
        withTimeout(10_000) {
            empty.await()
            ledger.createHousehold(village, family("陈永昌"))
            assertEquals("陈永昌", full.await())
            // The screen's flow ends with the book, and closing twice is no fault.
            ledger.close()
            ledger.close()
            screen.join()
        }
        assertFalse(screen.isCancelled)
    }

    @Test
    fun `a first screen comes again with what has changed`() = runBlocking {
        val ledger = phone("a", "li.ming")
        val seen = List(2) { CompletableDeferred<ULong>() }
        val screen = launch(Dispatchers.Default) {
            ledger.statuses().collect { seen[it.households.toInt()].complete(it.pending) }
        }
        withTimeout(10_000) {
            assertEquals(0UL, seen[0].await())
            ledger.createHousehold(village, family("陈永昌"))
            assertEquals(1UL, seen[1].await())
            ledger.close()
            screen.join()
        }
        assertFalse(screen.isCancelled)
    }

    @Test
    fun `every screen can see whether there is a sync`() = runBlocking {
        val ledger = phone("a", "li.ming")
        ledger.createHousehold(village, family("陈永昌"))
        assertEquals(SyncState.Idle, ledger.syncState.value)
        val during = mutableListOf<Pair<SyncState, SyncState>>()
        ledger.sync { during += SyncState.Running(it) to ledger.syncState.value }
        assertTrue(during.isNotEmpty())
        during.forEach { (expected, seen) -> assertEquals(expected, seen) }
        assertEquals(SyncState.Idle, ledger.syncState.value)
        val stranger = Ledger.open(directory.resolve("stranger").toString())
        val failed = fails<LedgerException.SessionExpired> { stranger.sync() }
        assertEquals(failed.reason, ((stranger.syncState.value as SyncState.Failed).error as LedgerException.SessionExpired).reason)
        stranger.enrol(township.url, township.code("wang.fang"), "stranger")
        stranger.sync()
        assertEquals(SyncState.Idle, stranger.syncState.value, "a failure is over with the next sync")
        listOf(ledger, stranger).forEach { it.close() }
    }

    @Test
    fun `two thousand calls at once`() = runBlocking {
        val ledger = phone("a", "li.ming")
        val chen = ledger.createHousehold(village, family("陈永昌"))
        val calls = (0 until 2_000).map { async(Dispatchers.IO) { if (it % 2 == 0) ledger.list().size else ledger.show(chen).fields.size } }
        assertEquals(2_000, withTimeout(60_000) { calls.awaitAll() }.count { it > 0 })
    }

    @Test
    fun `the vault keeps the key and may be locked`() = runBlocking {
        val vault = object : KeyVault {
            var key: ByteArray? = null
            var locked = false

            override fun load() = if (locked) throw KeyVaultException.Locked() else key

            override fun keep(key: ByteArray) {
                this.key = key
            }

            override fun forget() {
                key = null
            }
        }
        val path = directory.resolve("sealed").toString()
        Ledger.openSealed(path, vault).use { it.createHousehold(village, family("陈永昌")) }
        assertEquals(32, vault.key?.size)
        assertFalse(File(path).readBytes().decodeToString().contains("陈永昌"))
        vault.locked = true
        val locked = fails<LedgerException.InvalidInput> { Ledger.openSealed(path, vault) }
        assertEquals("vault" to "locked", locked.field to locked.reason)
        vault.locked = false
        Ledger.openSealed(path, vault).use { assertEquals(1UL, it.status().households) }
    }

    @Test
    fun `schema and words are there`() {
        assertEquals("家庭成员", recordSchema().containers.single { it.name == "members" }.zh)
        assertEquals("入户核实", words("task_kind", "verify")?.zh)
        assertEquals("线索", words("case_state", "clue")?.zh)
        assertEquals("没有找到", words(LedgerException.NotFound("household", "x"))?.zh)
        assertEquals(11, wordList("error")?.codes?.size)
        assertEquals(null, wordList("nothing"))
        invalid("text", "not_unicode") { words("task_kind", "\uD800") }
    }

    @Test
    fun `a place is told by its names`() = runBlocking {
        Ledger.open(directory.resolve("a").toString()).use {
            assertEquals(listOf("湖南省", "郴州市", "宜章县", "关溪乡", "福岭村"), it.regionPath(village))
            assertEquals(emptyList<String>(), it.regionPath(7UL))
        }
    }
}
