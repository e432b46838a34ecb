"""Reports: one page and its JSON, of the paper's claims and figures, or of one model. No torch.

claim.py            Claim, Finding, Verdict
claims.py           the paper's, judged by stored results: claims_beta, claims_families, claims_latents
content.py          Report as data: sections of tables, figures, claims          tables.py    made from results
paper.py, model.py  the two reports there are; stream.py: the page of one stream
page.py             HTML by page.html, page.css, page.js; plots.py (Plotly, the `report` extra)
"""
