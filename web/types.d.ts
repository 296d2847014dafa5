// The types of the page, for `tsc`; never served.

/** A packet of PROTOCOL.md; nothing about its members is certain. */
type Packet = Record<string, any>;

/** A room or a conversation with a user. */
interface Place {
  key: string;
  name: string;
  isDirect: boolean;
}

interface Command {
  names: string[];
  usage: string;
  help: string;
}

/** Of the user's own message: the server has it from `stored` on. */
type SendState = "waiting" | "sent" | "stored" | "unstored";

interface Message {
  /** Its number in this page. */
  n: number;
  /** Its place in the order: the number of a message, or of the one before it. */
  major: number;
  /** Its place behind that. */
  minor: number;
  kind: "chat" | "note" | "failure" | "alert" | "file";
  seq?: number;
  ts: number;
  from: string;
  /** Of the sender's key; without one, nobody has proved to be that user. */
  tag?: string;
  mine: boolean;
  text: string;
  action?: boolean;
  reply?: number;
  edited?: boolean;
  /** Who deleted it. */
  deleted?: string;
  state?: SendState;
  id?: string;
  /** A direct message or a mention. */
  forMe?: boolean;
  file?: Transfer;
  /** Counts its changes. */
  version: number;
}

interface Spot extends Place {
  /** In order; those without a receipt are last. */
  messages: Message[];
  bySeq: Map<number, Message>;
  topic: string;
  members: number;
  here: number;
  joined: boolean;
  /** Whether the first message is the oldest one that the server has. */
  isWhole: boolean;
  /** Whether the server has been asked for older messages. */
  isLoaded: boolean;
  /** Between these numbers, messages are not here. */
  gap?: { after: number; before: number };
  unread: number;
  forMe: number;
  /** The order of the first unread message. */
  newFrom?: number;
  /** Up to where the user has read. */
  read: number;
  /** The number of the last message. */
  last: number;
  /** Of the key of the user whom the conversation is with. */
  tag?: string;
  draft: string;
  /** What the text in the input is about, and of an edit also the text, which is no draft. */
  about?: { what: "reply" | "edit"; message: Message; text?: string };
  /** Why the server shows nothing older, in its words. */
  refusal?: string;
}

interface Person {
  name: string;
  key?: string;
  away?: string;
  operator?: boolean;
  web?: boolean;
  ip?: string;
  /** The servers of the chat at which they are. */
  nodes?: string[];
}

/** Where the connection for a file goes. */
interface Door {
  /** The address of a WebSocket of the present server. */
  address(path: string): string;
  /** Lets this browser's key into a closed server. */
  ticket: string;
}

/** A message that the server has not confirmed. */
interface Entry {
  id: string;
  /** The order in which they were typed. */
  n: number;
  /** Whose users it is for. */
  server: string;
  to: string;
  msg: string;
  action?: boolean;
  reply?: number;
  ts: number;
}

interface Disk {
  all(): Promise<Entry[]>;
  put(entry: Entry): Promise<void>;
  remove(id: string): Promise<void>;
}

/** How far the page has read a history. */
interface Point {
  since: number;
  log: string;
  logs: { log: string; last: number }[];
}

/** All packets with a request's id. */
interface Answer {
  packets: Packet[];
  end: Packet;
}

interface State {
  kind: "down" | "entering" | "catching up" | "up";
  why: string;
  /** Seconds until the next attempt. */
  retry: number;
}

/** What the session needs of a link. */
interface Wire {
  send(packet: Packet): boolean;
  connect(): void;
  settle(welcome: Packet): void;
  /** Of the present server, with its port. */
  host: string;
}

/** What the link tells. */
interface Ears {
  /** That server expects the first packet. */
  up(server: string): void;
  packet(packet: Packet): void;
  /** Lost; the link tries again after so many seconds. */
  down(why: string, seconds: number): void;
}

/** What the session tells. */
interface Hooks {
  /** The server does not take the user in. */
  refused(packet: Packet): void;
  /** The server has ended the session for good. */
  ended(packet: Packet): void;
  /** A text that was not sent returns to the input. */
  giveBack(spot: Spot, line: string): void;
  /** A live message of another user. */
  arrived(spot: Spot, message: Message): void;
  /** Something about a file. */
  file(packet: Packet): void;
  /** `isOther`: by another server than before. */
  welcome(isOther: boolean): void;
  /** The user has another name. */
  renamed(name: string): void;
}

interface Arrived {
  path: string[];
  parts: Blob[];
  hasher: import("./blake3.js").Blake3;
  size: number;
  hash?: Uint8Array;
  /** Where the user can save it from. */
  url?: string;
}

interface Transfer {
  offer: number;
  isMine: boolean;
  /** The other side: a user, or a room. */
  with: string;
  name: string;
  size?: number;
  /** Of files in a folder. */
  count?: number;
  /** The sender's token for the content. */
  content: string;
  stage: "offered" | "asked" | "moving" | "cut" | "done" | "over";
  moved: number;
  told: string;
  source?: File;
  arrived: Arrived[];
  message: Message;
  socket?: WebSocket;
}

interface FileRecord {
  kind: string;
  bytes: Uint8Array;
}

/** A part of a line; `sought`: what a search was for. */
interface Part {
  kind: "text" | "link" | "mention" | "sought";
  text: string;
}
