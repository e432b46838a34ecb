"""Reports: one page and its JSON, of the paper's claims and figures, of one model, or of one stream. No torch.

claim.py      Claim, Finding, Verdict
claims.py     the paper's claims, judged by stored results: claims_latents.py, claims_beta.py, claims_families.py
content.py    a report as data: sections of tables, figures, claims       tables.py    made from stored results
paper, model, stream    the reports there are                             made.py      versions and time
page.py       HTML by page.html, page.css, page.js                        plots.py     charts, by Plotly
"""
