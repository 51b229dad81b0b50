// What the phone says, in English and in German.
const ENGLISH = {
  room: "Room",
  wait: "You are in the room. The next question appears here.",
  watch: "The lecturer shows:",
  open: "Tap an answer. You can change it until the question is closed.",
  again: "Second round: vote again after the discussion.",
  left: (seconds) => `${seconds} s left`,
  closed: "Closed. The result comes when the lecturer reveals it.",
  revealed: "The result",
  votes: (n) => (n === 1 ? "1 vote" : `${n} votes`),
  before: "first round",
  own: "Your vote",
  saved: "Your vote is in.",
  sending: "Sending your vote…",
  kept: "No connection. Your vote is kept and goes out as soon as there is one.",
  offline: "Reconnecting…",
  late: "This question was closed before your vote came.",
  refused: "The room did not take this. Reload the page.",
  none: "There is no room with this code. Check the letters.",
  gone: "This room has ended. Thank you!",
  step: (n) => `step ${n}`,
  prompt: (n) => `Prompt ${n}`,
  explore: "Explore on your own",
  reference: "The tick marks the reference.",
};

const GERMAN = {
  room: "Raum",
  wait: "Du bist im Raum. Die nächste Frage erscheint hier.",
  watch: "Die Lehrperson zeigt:",
  open: "Tippe eine Antwort an. Bis zum Schluss der Frage kannst du sie ändern.",
  again: "Zweite Runde: Stimme nach der Diskussion noch einmal ab.",
  left: (seconds) => `noch ${seconds} s`,
  closed: "Geschlossen. Das Ergebnis erscheint, sobald es aufgedeckt wird.",
  revealed: "Das Ergebnis",
  votes: (n) => (n === 1 ? "1 Stimme" : `${n} Stimmen`),
  before: "erste Runde",
  own: "Deine Stimme",
  saved: "Deine Stimme ist angekommen.",
  sending: "Deine Stimme wird gesendet…",
  kept: "Keine Verbindung. Deine Stimme ist gemerkt und geht hinaus, sobald es wieder eine gibt.",
  offline: "Verbinde neu…",
  late: "Diese Frage war geschlossen, bevor deine Stimme ankam.",
  refused: "Der Raum hat das nicht angenommen. Lade die Seite neu.",
  none: "Es gibt keinen Raum mit diesem Code. Prüfe die Buchstaben.",
  gone: "Dieser Raum ist zu Ende. Danke!",
  step: (n) => `Schritt ${n}`,
  prompt: (n) => `Prompt ${n}`,
  explore: "Selbst ausprobieren",
  reference: "Der Strich zeigt die Referenz.",
};

const german = /^de\b/i.test(navigator.language || "");

export const language = german ? "de" : "en";
export const words = german ? GERMAN : ENGLISH;
