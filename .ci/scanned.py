"""Judges what a scanner printed: sslyze FILE, or testssl FILE. See .ci/scan."""

import json
import sys

SUITES = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


def sslyze(report):
    (server,) = report["server_scan_results"]
    assert server["connectivity_status"] == "COMPLETED", server["connectivity_error_trace"]
    results = server["scan_result"]

    def result(name):
        attempt = results[name]
        assert attempt["status"] == "COMPLETED", f"{name}: {attempt['error_trace'] or attempt['error_reason']}"
        return attempt["result"]

    def suites(version):
        accepted = result(f"{version}_cipher_suites")["accepted_cipher_suites"]
        return {suite["cipher_suite"]["name"] for suite in accepted}

    for version in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2"]:
        yield f"{version} is not spoken", not suites(version)
    yield "TLS 1.3 is spoken, with its three suites", suites("tls_1_3") == SUITES
    yield "no early data", not result("tls_1_3_early_data")["supports_early_data"]
    yield "no Heartbleed", not result("heartbleed")["is_vulnerable_to_heartbleed"]
    yield "no CCS injection", not result("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"]
    yield "no ROBOT", result("robot")["robot_result"].startswith("NOT_VULNERABLE")
    yield "no compression", not result("tls_compression")["supports_compression"]
    renegotiation = result("session_renegotiation")
    yield "no renegotiation by clients", not renegotiation["is_vulnerable_to_client_renegotiation_dos"]
    resumption = result("session_resumption")
    yield "no resumption by id", resumption["session_id_successful_resumptions_count"] == 0
    yield "no resumption by ticket", resumption["tls_ticket_successful_resumptions_count"] == 0


def testssl(findings):
    ids = {finding["id"] for finding in findings}
    for wanted in ["TLS1_3", "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego", "LUCKY13", "RC4"]:
        yield f"{wanted} was tried", wanted in ids
    harmless = {"OK", "INFO", "LOW", "DEBUG"}
    for finding in findings:
        # One warns of the openssl that testssl itself uses.
        if finding["severity"] not in harmless and finding["id"] != "engine_problem":
            yield f"{finding['id']}: {finding['severity']}: {finding['finding']}", False
    by_id = {finding["id"]: finding["finding"] for finding in findings}
    for old in ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2"]:
        yield f"{old} is not offered", by_id.get(old, "").startswith("not offered")
    yield "TLS 1.3 is offered", by_id.get("TLS1_3", "").startswith("offered")
    print(f"   {len(findings)} findings looked at")


scanner, path = sys.argv[1:]
with open(path) as file:
    judged = list({"sslyze": sslyze, "testssl": testssl}[scanner](json.load(file)))
for what, holds in judged:
    print(("   " if holds else "!! ") + what)
sys.exit(0 if judged and all(holds for _, holds in judged) else 1)
