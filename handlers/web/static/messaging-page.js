// The page around <equa-messaging>: its one button, which is also the way out where a browser refuses to show the frame.

const messaging = document.getElementById("messaging");
const trouble = document.getElementById("trouble");

const SENTENCES = { popup_blocked: "Your browser blocks new tabs of this page." };

document.getElementById("new-tab").addEventListener("click", async () => {
  trouble.textContent = "";
  try {
    await messaging.openInNewTab();
  } catch (failure) {
    trouble.textContent = SENTENCES[failure.code] ?? "No new tab could be signed in.";
  }
});
