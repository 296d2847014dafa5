#!/usr/bin/env python3
"""A bot that answers !time: bot.py [OPTIONS OF LANCHAT]. It stays until you press Ctrl-C."""
import json, subprocess, sys, time

command = ["lanchat", "--json", "--name", "timebot", *sys.argv[1:]]
chat = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

for packet in map(json.loads, chat.stdout):
    if packet["type"] == "error":
        print(packet["msg"], file=sys.stderr)
    is_new = packet["type"] == "chat" and not packet.get("history")
    if is_new and packet["msg"].strip() == "!time":
        is_public = packet["to"] == "all" or packet["to"].startswith("#")
        answer = {"to": packet["to"] if is_public else packet["from"]["name"], "msg": time.strftime("%H:%M")}
        print(json.dumps(answer), file=chat.stdin, flush=True)

sys.exit(chat.wait())
