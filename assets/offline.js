// The last incidents seen in this browser, while there is no connection. What senders wrote is set as text, never as markup.
const read = (name, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
};
const list = document.getElementById("seen");
const seen = read("aiops-seen", []);
for (const one of seen) {
  const line = document.createElement("li");
  line.className = "pair";
  const title = document.createElement("span");
  title.textContent = `#${one.number} ${one.title}`;
  const state = document.createElement("span");
  state.className = "soft";
  state.textContent = `${one.severity} · ${one.status}`;
  line.append(title, state);
  list.append(line);
}
document.getElementById("none").hidden = seen.length > 0;
const at = localStorage.getItem("aiops-seen-at");
if (at) document.getElementById("when").textContent = `at ${new Date(at).toLocaleString()}`;
if (matchMedia("(prefers-color-scheme: light)").matches) document.documentElement.className = "light";
setInterval(() => fetch("/ping", { cache: "no-store" }).then((answer) => answer.ok && location.reload()).catch(() => {}), 5000);
