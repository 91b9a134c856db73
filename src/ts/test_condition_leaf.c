/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition_leaf.h"

#include "ts/condition.h"
#include "ts/facts.h"
#include "ts/facts_json.h"
#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_table *, ts_table_free);

#define PLATFORM \
    "<platformKey arch=\"x64\" type=\"Win_NT\" minVer=\"6.10.0000.0\" maxVer=\"6.10.9999.9999\" />"
#define FILE_IS(fields) \
    "<expression type=\"SMS_TaskSequence_FileConditionExpression\">" fields "</expression>"
#define FOLDER_IS(fields) \
    "<expression type=\"SMS_TaskSequence_FolderConditionExpression\">" fields "</expression>"
#define REGISTRY_IS(fields) \
    "<expression type=\"SMS_TaskSequence_RegistryConditionExpression\">" fields "</expression>"
#define SOFTWARE_IS(fields) \
    "<expression type=\"SMS_TaskSequence_SoftwareConditionExpression\">" fields "</expression>"
#define OS_IS(fields) \
    "<expression type=\"SMS_TaskSequence_OSConditionExpression\">" fields "</expression>"
#define MAKE_MODEL_IS(make, model) \
    "<expression type=\"SMS_TaskSequence_MakeModelConditionExpression\">" FIELD("Make", make) \
        FIELD("Model", model) "</expression>"
#define COMPUTER_IS(name, value) \
    "<expression type=\"SMS_TaskSequence_ComputerConditionExpression\">" FIELD( \
        name, value) "</expression>"
#define FIELD(name, value) "<variable name=\"" name "\">" value "</variable>"
#define QUERY(space, text) \
    "<expression type=\"SMS_TaskSequence_WMIConditionExpression\">" FIELD("Namespace", space) \
        FIELD("Query", text) "</expression>"
#define CIM(where) QUERY("root\\cimv2", "select * from Win32_ComputerSystem where " where)

static const char facts_text[] =
    "{\"version\": 1, \"classes\": {"
    " \"Win32_ComputerSystem\": [{\"Manufacturer\": \"Dell Inc.\", \"Model\": \"Latitude 7490\"}],"
    " \"Win32_Battery\": [],"
    " \"Win32_OperatingSystem\": [{\"Caption\": \"Windows\", \"Version\": \"6.1.7601\", \"OSType\": 18,"
    "   \"ServicePackMajorVersion\": 1, \"OSArchitecture\": \"64-bit\", \"OSLanguage\": 1031}]},"
    "\"files\": [{\"path\": \"/etc/passwd\", \"version\": \"10.0.20\","
    "             \"modified\": \"20240102030405.000000+000\"}],"
    "\"folders\": [{\"path\": \"/etc\", \"modified\": \"20240102030405.000000+000\"}],"
    "\"registry\": [{\"key\": \"HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\X\", \"value\": \"N\","
    "                \"type\": \"REG_DWORD\", \"data\": \"10\"}],"
    "\"software\": [{\"product_code\": \"{A}\", \"upgrade_code\": \"{B}\", \"version\": \"2.0\"},"
    "              {\"name\": \"nginx\", \"version\": \"1:1.22.1-9+deb12u1\"}]}";

static void set_variables(struct ts_vars *vars)
{
    static const char *const values[][2] = {
        {"A", "Ten"},
        {"N", "10"},
        {"D", "/etc"},
        {"_SMSTSMake", "VMware, Inc."},
        {"_SMSTSModel", "VMware7,1"},
        {"_SMSTSMacAddresses", "52:54:00:00:00:01,52:54:00:00:00:02"},
        {"_SMSTSSerialNumber", "S1"},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_int_equal(ts_vars_set(vars, values[i][0], values[i][1], TS_BY_ENGINE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Secret"), 0);
    assert_int_equal(ts_vars_set(vars, "Secret", "hunter22", TS_BY_SEQUENCE), 0);
}

/* Return: 1 if it holds, 0 if not, 2 if it does not because something could not be answered, 3: it holds although. */
static int evaluate(const char *condition, struct ts_verdict *verdict)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct ts_facts_file file = {0};
    size_t n;

    buf_addf(
        &xml, SEQUENCE("<step type=\"x\" name=\"s\"><condition>%s</condition></step>"), condition);
    assert_int_equal(ts_facts_parse(bytes_of(facts_text), &file, &why), 0);

    OWN(ts_table_freep) struct ts_table *table = file.table;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(buf_str(&xml));
    const struct ts_step *step = ts_document_steps(doc, &n);
    const struct ts_facts facts = ts_table_facts(table);

    ts_vars_free(file.vars);
    assert_int_equal(ts_vars_new(&vars), 0);
    set_variables(vars);

    bool holds = ts_condition_holds(step->item.condition, vars, &facts, verdict);

    return (int)holds + (verdict->warnings.len > 0 ? 2 : 0);
}

#define AND(inside) "<operator type=\"and\">" inside "</operator>"
#define OR(inside)  "<operator type=\"or\">" inside "</operator>"
#define NOT(inside) "<operator type=\"not\">" inside "</operator>"
#define YES         VARIABLE_IS("A", "exists", "")
#define NO          VARIABLE_IS("A", "notExists", "")
#define HKLM        FIELD("KeyPath", "hkey_local_machine\\software\\X")

enum {
    IS_FALSE,
    IS_TRUE,
    IS_UNANSWERED,      /* and so false */
    IS_TRUE_UNANSWERED, /* the rest decided */
};

static const struct {
    const char *condition;
    int truth;
} cases[] = {
    {"", IS_TRUE},
    {VARIABLE_IS("a", "equals", "TEN"), IS_TRUE},
    {VARIABLE_IS("A", "notEquals", "ten"), IS_FALSE},
    {VARIABLE_IS("Z", "equals", ""), IS_TRUE},
    {VARIABLE_IS("Z", "exists", ""), IS_FALSE},
    {VARIABLE_IS("Z", "notExists", ""), IS_TRUE},
    {VARIABLE_IS("N", "greater", "9"), IS_TRUE},
    {VARIABLE_IS("N", "greaterEqual", "10"), IS_TRUE},
    {VARIABLE_IS("N", "less", "9"), IS_FALSE},
    {VARIABLE_IS("N", "lessEqual", "-1"), IS_FALSE},
    {VARIABLE_IS("A", "less", "u"), IS_TRUE},
    {VARIABLE_IS("NotSet", "less", "5"), IS_TRUE}, /* an empty text */
    {VARIABLE_IS("NotSet", "greater", "5"), IS_FALSE},
    {VARIABLE_IS("A", "like", "t*"), IS_TRUE},
    {VARIABLE_IS("A", "like", "*e?"), IS_TRUE},
    {VARIABLE_IS("A", "like", "?en?"), IS_FALSE},
    {VARIABLE_IS("A", "notLike", "x*"), IS_TRUE},
    {VARIABLE_IS("A", "equals", "%A%"), IS_TRUE},
    {VARIABLE_IS("A", "resembles", "x"), IS_UNANSWERED},
    {YES NO, IS_FALSE},
    {OR(NO YES), IS_TRUE},
    {OR(NO NO), IS_FALSE},
    {NOT(NO NO), IS_TRUE},
    {NOT(NO YES), IS_FALSE},
    {AND(YES OR(NO NOT(NO))), IS_TRUE},
    {"<operator type=\"xor\">" YES "</operator>", IS_UNANSWERED},
    /* files and folders */
    {FILE_IS(FIELD("Path", "%D%/passwd")), IS_TRUE},
    {FILE_IS(FIELD("Path", "/nothing")), IS_FALSE},
    {FILE_IS(FIELD("Path", "/etc/passwd") FIELD("Version", "10.0.9")
                 FIELD("VersionOperator", "greater")),
     IS_TRUE},
    {FILE_IS(FIELD("Path", "/etc/passwd") FIELD("Version", "10.0.20.1")
                 FIELD("VersionOperator", "greaterEqual")),
     IS_FALSE},
    {FILE_IS(FIELD("Path", "/etc/passwd") FIELD("DateTime", "20240102040405.000000+060")
                 FIELD("DateTimeOperator", "equals")),
     IS_TRUE},
    {FILE_IS(FIELD("Path", "/etc/passwd") FIELD("DateTime", "soon")
                 FIELD("DateTimeOperator", "less")),
     IS_UNANSWERED},
    {FOLDER_IS(FIELD("Path", "/etc")), IS_TRUE},
    {FOLDER_IS(FIELD("Path", "/etc/passwd")), IS_FALSE},
    {FOLDER_IS(FIELD("Path", "/etc") FIELD("DateTime", "2024-01-02")
                   FIELD("DateTimeOperator", "less")),
     IS_FALSE},
    /* registry and software */
    {REGISTRY_IS(HKLM FIELD("Value", "n") FIELD("Operator", "exists")), IS_TRUE},
    {REGISTRY_IS(HKLM FIELD("Value", "m") FIELD("Operator", "notExists")), IS_TRUE},
    {REGISTRY_IS(HKLM FIELD("Value", "N") FIELD("Operator", "greater") FIELD("Type", "REG_DWORD")
                     FIELD("Data", "9")),
     IS_TRUE},
    {REGISTRY_IS(HKLM FIELD("Value", "N") FIELD("Operator", "equals") FIELD("Type", "REG_SZ")
                     FIELD("Data", "10")),
     IS_FALSE},
    {SOFTWARE_IS(FIELD("Operator", "ThisVersion") FIELD("ProductCode", "{a}")), IS_TRUE},
    {SOFTWARE_IS(FIELD("Operator", "AnyVersion") FIELD("UpgradeCode", "{b}")
                     FIELD("ProductCode", "{other}")),
     IS_TRUE},
    {SOFTWARE_IS(FIELD("Operator", "ThisVersion") FIELD("ProductCode", "{b}")), IS_FALSE},
    /* packages of the distribution, by name */
    {SOFTWARE_IS(FIELD("Operator", "AnyVersion") FIELD("ProductName", "nginx")), IS_TRUE},
    {SOFTWARE_IS(FIELD("Operator", "AnyVersion") FIELD("ProductName", "Nginx")
                     FIELD("UpgradeCode", "{none}")),
     IS_TRUE},
    {SOFTWARE_IS(FIELD("Operator", "AnyVersion") FIELD("ProductName", "apache2")), IS_FALSE},
    {SOFTWARE_IS(FIELD("Operator", "ThisVersion") FIELD("ProductName", "nginx")
                     FIELD("Version", "1.22.1")),
     IS_TRUE},
    {SOFTWARE_IS(FIELD("Operator", "ThisVersion") FIELD("ProductName", "nginx")
                     FIELD("Version", "1:1.22.1-9+deb12u1")),
     IS_TRUE},
    {SOFTWARE_IS(FIELD("Operator", "ThisVersion") FIELD("ProductName", "nginx")
                     FIELD("Version", "1.22")),
     IS_FALSE},
    {SOFTWARE_IS(FIELD("Operator", "AnyVersion")), IS_UNANSWERED},
    /* environment variables, and those of Windows, which mean nothing here */
    {FILE_IS(FIELD("Path", "%D%/%ProgramFiles%")), IS_UNANSWERED},
    {FOLDER_IS(FIELD("Path", "%windir%")), IS_UNANSWERED},
    {FOLDER_IS(FIELD("Path", "%Nobody%/x")), IS_UNANSWERED},
    {NOT(FOLDER_IS(FIELD("Path", "%SystemRoot%"))), IS_TRUE_UNANSWERED},
    /* a base class stands for what is derived from it */
    {QUERY("root\\cimv2", "select * from CIM_ComputerSystem where Model like 'Lat%'"), IS_TRUE},
    {QUERY("root\\cimv2",
           "select * from CIM_ComputerSystem where __CLASS = 'Win32_ComputerSystem'"),
     IS_TRUE},
    {QUERY("root\\cimv2", "select * from CIM_LogicalDevice"), IS_UNANSWERED},
    {QUERY("root\\wmi", "select * from CIM_ComputerSystem"), IS_UNANSWERED},
    /* queries */
    {CIM("Manufacturer like '%dell%'"), IS_TRUE},
    {CIM("Model = \"x\""), IS_FALSE},
    {CIM("Nothing = 1"), IS_UNANSWERED},
    {CIM("Model ="), IS_UNANSWERED},
    {QUERY("root\\wmi", "select * from MS_X"), IS_UNANSWERED},
    {QUERY("\\\\.\\ROOT/CIMV2", "select * from Win32_Battery"), IS_FALSE},
    {QUERY("", "select * from Win32_OperatingSystem where OSLanguage = '1031'"), IS_TRUE},
    {AND(CIM("x = 1") NO), IS_UNANSWERED},
    {OR(CIM("x = 1") YES), IS_TRUE_UNANSWERED},
    {NOT(CIM("x = 1")), IS_TRUE_UNANSWERED},
    {"<osConditionGroup type=\"or\"><osExpressionGroup name=\"Windows 7\" type=\"and\">" QUERY("root\\cimv2", "SELECT OsProductSuite FROM Win32_OperatingSystem WHERE Version = '6.1.7601'") "</osExpressionGroup><osExpressionGroup name=\"any\">" QUERY(
         "", "SELECT * FROM Win32_OperatingSystem WHERE OSLanguage > 7") "</osExpressionGroup>"
                                                                         "</osConditionGroup>",
     IS_TRUE_UNANSWERED},
    {"<osConditionGroup type=\"or\"><osExpressionGroup type=\"and\" name=\"A\">" PLATFORM QUERY(
         "",
         "SELECT * FROM Win32_OperatingSystem WHERE OSLanguage = 1031") "</osExpressionGroup></osConditionGroup>",
     IS_TRUE},
    {"<osExpressionGroup type=\"and\" name=\"A\">" PLATFORM "</osExpressionGroup>", IS_UNANSWERED},
    {OS_IS(FIELD("Architecture", "X64") FIELD("Version", "6.10.7601.1")
               FIELD("Operator", "greaterEqual")),
     IS_TRUE},
    {OS_IS(FIELD("Architecture", "X86") FIELD("Version", "6.10.7601.1")
               FIELD("Operator", "greaterEqual")),
     IS_FALSE},
    {OS_IS(FIELD("Version", "10.00.10240.0") FIELD("Operator", "less")), IS_TRUE},
    /* rules of Set Dynamic Variables */
    {MAKE_MODEL_IS("*vmware*", "*"), IS_TRUE},
    {MAKE_MODEL_IS("*", "Virtual Machine"), IS_FALSE},
    {COMPUTER_IS("MACAddress", "52-54-00-00-00-02"), IS_TRUE},
    {COMPUTER_IS("SerialNumber", "s2"), IS_FALSE},
    {"<expression type=\"Foreign\"/>", IS_UNANSWERED},
};

static void conditions_mean_what_is_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;
        int truth = evaluate(cases[i].condition, &verdict);

        if (truth != cases[i].truth)
            fail_msg("%s: %d, %s, %s",
                     cases[i].condition,
                     truth,
                     buf_str(&verdict.why),
                     buf_str(&verdict.warnings));
    }
}

static void a_verdict_says_what_decided_and_hides_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        const char *why;
    } verdicts[] = {
        {YES NO, "A notExists: it is \"Ten\""},
        {OR(NO VARIABLE_IS("Z", "equals", "%N%")),
         "A notExists: it is \"Ten\"; Z equals \"10\": it is not set"},
        {VARIABLE_IS("Secret", "equals", "hunter22"), "Secret equals \"***\": it is \"***\""},
        {VARIABLE_IS("A", "equals", "%secret%"), "A equals \"%secret%\": it is \"Ten\""},
        {CIM("Model = 'x'"),
         "select * from Win32_ComputerSystem where Model = 'x': Model is \"Latitude 7490\""},
    };

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;

        (void)evaluate(verdicts[i].condition, &verdict);
        assert_string_equal(buf_str(&verdict.why), verdicts[i].why);
    }
}

static void without_facts_only_variables_are_known(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE("<step type=\"x\" name=\"s\"><condition>" FILE_IS(
        FIELD("Path", "/etc/passwd")) "</condition></step>"));
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;
    size_t n;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_false(
        ts_condition_holds(ts_document_steps(doc, &n)->item.condition, vars, NULL, &verdict));
    assert_true(verdict.warnings.len > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_mean_what_is_documented),
        cmocka_unit_test(a_verdict_says_what_decided_and_hides_secrets),
        cmocka_unit_test(without_facts_only_variables_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
