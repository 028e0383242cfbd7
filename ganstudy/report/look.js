{
  // A run that was killed leaves this page as it is: an old one reloads no more, and says so.
  const said = document.querySelector(".live");
  const every = 1000 * said.dataset.every;
  const minutes = Math.round((Date.now() / 1000 - said.dataset.built) / 60);
  if (60000 * minutes < Math.max(20 * every, 900000)) {
    setTimeout(() => location.reload(), Math.min(every, 2 ** 31 - 1));
  } else {
    const ago = minutes < 120 ? `${minutes} minutes` : minutes < 2880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`;
    said.querySelector("strong").textContent = "The run was training.";
    said.querySelector(".later").innerHTML = `By the clock of this device that was ${ago} ago. Unless the clock is wrong, no page has come since: the run was stopped, or its machine was. <code>ganstudy status RUN</code> tells, and <code>ganstudy report RUN</code> builds the page of what is recorded. This one reloads itself no more; you can.`;
  }
}
