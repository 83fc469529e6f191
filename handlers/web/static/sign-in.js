// The page that waits for somebody to sign in to Equa, or for what passes: it goes on by itself.

const { again } = document.body.dataset;

if (again === "back") {
  // They sign in to Equa in another tab and come back to this one.
  let away = false;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) away = true;
    else if (away) location.reload();
  });
  // Or in this one, and go back.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
} else if (again) {
  setTimeout(() => location.reload(), Number(again) * 1000);
}
